/** Generated formulas as people write them, and records to compute them for. */
import fc from 'fast-check';
import type { Value, ValueType } from '#engine/model/value-type.ts';

export const FIELDS: ReadonlyMap<string, { readonly valueType: ValueType }> = new Map(
  (
    [
      ['amount', 'decimal'],
      ['probability', 'decimal'],
      ['count', 'integer'],
      ['other', 'integer'],
      ['first_name', 'text'],
      ['stage', 'text'],
      ['done', 'boolean'],
      ['due', 'date'],
      ['begun', 'date'],
      ['seen_at', 'datetime'],
      ['opens', 'time'],
      ['closes', 'time'],
      ['owner', 'uuid'],
    ] as const
  ).map(([key, valueType]) => [key, { valueType }]),
);

const letters = ['a', 'A', 'ä', 'ß', 'İ', 'Σ', '😀', '！', ' ', '\t', "'", '"', '\\', '%', '{', '\n'];
const text = fc.array(fc.constantFrom(...letters), { maxLength: 4 }).map((each) => each.join(''));
const day = fc.oneof(
  fc.date({ min: new Date('2024-02-20T00:00:00Z'), max: new Date('2026-03-05T00:00:00Z'), noInvalidDate: true }),
  fc.constantFrom(new Date('0001-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59.999Z')),
);
const date = day.map((each) => each.toISOString().slice(0, 10));
const decimal = fc.oneof(
  fc.constantFrom(
    '0',
    '0.00',
    '-0.5',
    '10.50',
    '2',
    '-3',
    '0.05',
    '1234567890123.123456',
    '0.000001',
    '-7.005',
    '3',
    '7',
  ),
  fc
    .tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: 0, max: 999 }))
    .map(([a, b]) => `${a}.${String(b).padStart(3, '0')}`),
);
const integer = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
);

const time = fc.oneof(
  fc.constantFrom('00:00:00', '09:30:00', '23:59:59'),
  fc.integer({ min: 0, max: 86_399 }).map((each) => new Date(each * 1000).toISOString().slice(11, 19)),
);

/** A value of each type, NULL now and then. */
export const VALUES: Partial<Record<ValueType, fc.Arbitrary<Value>>> = {
  text: fc.oneof(text, fc.constantFrom('won', 'open')),
  decimal,
  integer,
  boolean: fc.boolean(),
  date,
  datetime: day.map((each) => each.toISOString()),
  time,
  uuid: fc.constantFrom('0197a000-0000-7000-8000-000000000001', '0197a000-0000-7000-8000-000000000002'),
};

export const record: fc.Arbitrary<Readonly<Record<string, Value>>> = fc.record(
  Object.fromEntries(
    [...FIELDS].map(([key, { valueType }]) => [key, fc.option(VALUES[valueType] ?? fc.constant(null), { freq: 5 })]),
  ),
);

type Sources = Record<'decimal' | 'integer' | 'text' | 'boolean' | 'date' | 'datetime' | 'time', string>;

/** One depth for all types; five levels keep generated formulas readable when they fail. */
const node = (leaf: fc.Arbitrary<string>, ...rest: fc.Arbitrary<string>[]) =>
  fc.oneof({ maxDepth: 5, depthSize: 'small', depthIdentifier: 'formula' }, leaf, ...rest);

const fields = (type: ValueType) =>
  fc.constantFrom(...[...FIELDS].filter(([, field]) => field.valueType === type).map(([key]) => key));
const quoted = text.map((each) => `'${each.replaceAll("'", "''")}'`);
const comparison = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');

const { sources } = fc.letrec<{ sources: Sources } & Sources>((tie) => {
  const number = fc.oneof(tie('decimal'), tie('integer'));
  const call = (name: string, ...args: fc.Arbitrary<string>[]) =>
    fc.tuple(...args).map((each) => `${name}(${each.join(', ')})`);
  const operators = (left: fc.Arbitrary<string>, signs: readonly string[], right: fc.Arbitrary<string>) =>
    fc.tuple(left, fc.constantFrom(...signs), right).map(([a, sign, b]) => `(${a} ${sign} ${b})`);
  const choice = (value: fc.Arbitrary<string>) =>
    fc.oneof(
      call('if', tie('boolean'), value, value),
      call('coalesce', value, value),
      call('if', tie('boolean'), value, fc.constant('null')),
    );
  const orders = (value: fc.Arbitrary<string>) =>
    fc.tuple(value, comparison, value).map(([a, sign, b]) => `${a} ${sign} ${b}`);
  return {
    decimal: node(
      fc.oneof(fields('decimal'), fc.constantFrom('0', '0.5', '100', '12.345', '3.0')),
      operators(number, ['+', '-', '*', '/', '%'], number),
      call('round', number, fc.constantFrom('0', '1', '2', '5')),
      call('min', number, number),
      call('max', number, number, number),
      call('abs', number),
      tie('decimal').map((each) => `(-${each})`),
      choice(tie('decimal')),
    ),
    integer: node(
      fc.oneof(fields('integer'), fc.constantFrom('0', '1', '7', '1000')),
      operators(tie('integer'), ['+', '-', '*', '%'], tie('integer')),
      call('round', tie('decimal')),
      call('length', tie('text')),
      fc.constantFrom('year', 'month', 'day').chain((name) => call(name, tie('date'))),
      call('days_between', tie('date'), tie('date')),
      fc.constantFrom('hour', 'minute').chain((name) => call(name, tie('time'))),
      call('seconds_between', tie('time'), tie('time')),
      choice(tie('integer')),
    ),
    text: node(
      fc.oneof(fields('text'), quoted),
      operators(
        fc.oneof(tie('text'), number),
        ['&'],
        fc.oneof(
          tie('text'),
          tie('boolean').map((each) => `(${each})`),
        ),
      ),
      call('concat', tie('text'), number, fc.constant('owner')),
      fc.constantFrom('upper', 'lower', 'trim').chain((name) => call(name, tie('text'))),
      choice(tie('text')),
    ),
    boolean: node(
      fc.oneof(fields('boolean'), fc.constantFrom('true', 'false', 'amount = null', 'stage != null')),
      operators(tie('boolean'), ['and', 'or'], tie('boolean')),
      tie('boolean').map((each) => `(not ${each})`),
      fc
        .oneof(orders(number), orders(tie('text')), orders(tie('date')), orders(tie('datetime')), orders(tie('time')))
        .map((each) => `(${each})`),
      choice(tie('boolean')),
    ),
    date: node(
      fc.oneof(
        fields('date'),
        date.map((each) => `date '${each}'`),
      ),
      call('add_days', tie('date'), tie('integer')),
      call('date_of', tie('datetime')),
      call('min', tie('date'), tie('date')),
      choice(tie('date')),
    ),
    datetime: node(fields('datetime'), call('max', tie('datetime'), tie('datetime')), choice(tie('datetime'))),
    time: node(fields('time'), call('min', tie('time'), tie('time')), choice(tie('time'))),
    sources: fc.record({
      decimal: tie('decimal'),
      integer: tie('integer'),
      text: tie('text'),
      boolean: tie('boolean'),
      date: tie('date'),
      datetime: tie('datetime'),
      time: tie('time'),
    }),
  };
});

/** One formula per type. */
export const formulas: fc.Arbitrary<Sources> = sources;
