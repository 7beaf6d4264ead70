/** What a field type is: one object that brings everything the product needs to know about it. */
import type { Field } from './model.ts';
import type { Operator, Value, ValueType } from './value-type.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** One physical column. `sql` parts are trusted: they come from field types, never from documents, except through `db/identifiers.ts`. */
export interface ColumnSpec {
  /** Column name, already a valid key. */
  readonly name: string;
  /** Postgres type, e.g. `numeric(19,2)`. */
  readonly type: string;
  /** CHECK expressions by suffix of the constraint's name; the column is quoted where `{}` stands. */
  readonly checks?: readonly { readonly suffix: string; readonly sql: string }[];
  /** Expression of a VIRTUAL generated column. Field types leave it open and say `computed`: the schema module writes it from `Field.formula`. */
  readonly generated?: string;
  /** The column is generated from the field's formula. */
  readonly computed?: true;
  /** Literal SQL default. */
  readonly default?: string;
  /** The default is the next number of a sequence of its own: `prefix` and the number, filled up with zeros to `digits`. */
  readonly sequence?: { readonly prefix: string; readonly digits: number; readonly start: number };
  readonly collation?: string;
}

/** A value that is not valid: code and sentence, without a pointer (the caller knows where it stood). */
export interface ValueError {
  readonly code: string;
  readonly message: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** `also`: values of further fields that a cell of a file determines, by key (the currency in `USD 1,200.50`). */
export type Parsed =
  | { readonly value: Value; readonly also?: Readonly<Record<string, Value>> }
  | { readonly error: ValueError };

/** What the import and the write path know of the surroundings of a value. */
export interface ValueContext {
  /** ISO 3166-1 alpha-2 country of the organisation, for phone numbers without a country code. */
  readonly country: string;
  /** ISO 4217 code of the organisation's currency. */
  readonly currency: string;
  /** IANA time zone of the user, for date-times without an offset in files. */
  readonly timeZone: string;
  /** How dates such as 3/4/2026 are meant in a file; without it they are refused as ambiguous. */
  readonly dateOrder?: 'dmy' | 'mdy';
  /** What separates decimals in the numbers of a file; without it `1,234` is a thousand and `1,23` is refused as ambiguous. */
  readonly decimalMark?: '.' | ',';
}

export interface FieldType {
  readonly key: string;
  /** JSON Schema of the properties a field document of this type may carry besides the common ones (`max`, `options`, `to`, …). */
  readonly options: JsonSchema;
  /** How values of it compare, filter and compute. `null` for types that hold no value of their own (children). */
  readonly valueType: ValueType | null;
  /** Another field that every field of this type brings along, e.g. the currency beside an amount: its key's suffix, type and label's suffix. */
  readonly companion?: { readonly suffix: string; readonly type: string; readonly label: string };
  /** The columns it is stored in; the first is the field's own (named as the field's key). Empty for children. */
  columns(field: Field): readonly ColumnSpec[];
  /** JSON Schema of a value a client may send (without null; the write path adds it for optional fields). `null`: clients never write it. */
  inputSchema(field: Field): JsonSchema | null;
  /** JSON Schema of the value as the API answers it (without null). */
  outputSchema(field: Field): JsonSchema;
  /** From a schema-valid JSON value to the value that is stored (trimmed, E.164, lower-cased, …). Text that is empty after trimming becomes null, or an error when the field is required. */
  normalise(value: Value, field: Field, context: ValueContext): Parsed;
  /** SQL expression of the JSON value, given the quoted column, e.g. `x."amount"::text`: decimals and 64-bit integers leave as strings. */
  select(column: string, field: Field): string;
  readonly operators: readonly Operator[];
  readonly sortable: boolean;
  readonly groupable: boolean;
  readonly aggregates: readonly ('sum' | 'avg' | 'min' | 'max')[];
  /** Whether text search (`$search`, lookups) looks into it. */
  readonly searchable: boolean;
  /** Name of the widget that edits it (`runtime-ui/widgets`). */
  widget(field: Field): string;
  /** From a cell of a file. The cell is trimmed and not empty. References come as text and are resolved by the import. */
  importCell(cell: string, field: Field, context: ValueContext): Parsed;
  /** To a cell of a file. */
  exportCell(value: Value, field: Field): string;
}
