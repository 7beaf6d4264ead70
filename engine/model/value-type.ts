/**
 * The value types of the condition and formula languages. A field type maps to exactly one; operators are defined
 * on these, so that evaluator and SQL have one table to agree on.
 *
 * | type     | JSON                                   | Postgres        |
 * | -------- | -------------------------------------- | --------------- |
 * | text     | string                                 | text            |
 * | integer  | number (safe integer)                  | bigint          |
 * | decimal  | string, e.g. "10.50" (never a float)   | numeric         |
 * | boolean  | boolean                                | boolean         |
 * | date     | string "2026-01-31"                    | date            |
 * | datetime | string "2026-01-31T10:00:00.000Z"      | timestamptz(3)  |
 * | time     | string "13:45:00"                      | time(0)         |
 * | uuid     | string, lower case                     | uuid            |
 * | texts    | array of strings                       | text[]          |
 * | uuids    | array of strings (only as an operand)  | uuid[]          |
 * | json     | any; never compared, only present or not; as a `Value` it is its text | jsonb |
 */
export const VALUE_TYPES = [
  'text',
  'integer',
  'decimal',
  'boolean',
  'date',
  'datetime',
  'time',
  'uuid',
  'texts',
  'uuids',
  'json',
] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

export const SQL_TYPE: Readonly<Record<ValueType, string>> = {
  text: 'text',
  integer: 'bigint',
  decimal: 'numeric',
  boolean: 'boolean',
  date: 'date',
  datetime: 'timestamptz',
  time: 'time',
  uuid: 'uuid',
  texts: 'text[]',
  uuids: 'uuid[]',
  json: 'jsonb',
};

/** A JSON value as it travels through the API and the evaluator. */
export type Scalar = string | number | boolean | null;
export type Value = Scalar | readonly string[];

/** Filter operators, in the URL grammar and in the condition tree. */
export const OPERATORS = [
  'eq',
  'ne',
  'lt',
  'lte',
  'gt',
  'gte',
  'in',
  'nin',
  'between',
  'null',
  'contains',
  'icontains',
  'starts',
  'istarts',
  'ends',
  'like',
  'ilike',
  'search',
  'has',
  'hasAny',
  'hasAll',
  'within',
  'under',
] as const;
export type Operator = (typeof OPERATORS)[number];
