/** Generated conditions, as JSON in both surface forms, and values that tend to break things. */
import fc from 'fast-check';
import type { Operator, Value, ValueType } from '#engine/model/value-type.ts';
import { isPattern } from '../like.ts';
import { OPERATORS_OF } from '../operators.ts';
import { PERIODS } from '../period.ts';

type Json = Readonly<Record<string, unknown>>;

/** Case mappings that change length or depend on context, order beyond the basic plane, and everything SQL quotes. */
const LETTERS = [
  'a',
  'A',
  'b',
  'B',
  'ä',
  'Ä',
  'e\u0301',
  'é',
  'ß',
  'ẞ',
  'İ',
  'ı',
  'Σ',
  'σ',
  'ς',
  'ǅ',
  '😀',
  '！',
  ' ',
  "'",
  '"',
  '\\',
  '%',
  '_',
  '{',
  '}',
  ',',
  '\n',
];

export const IDS = Array.from({ length: 5 }, (_, index) => `0197a000-0000-7000-8000-00000000000${index + 1}`);

const day = fc
  .date({ min: new Date('2026-01-28T00:00:00Z'), max: new Date('2026-02-03T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

/** Few different values, so that comparisons are often equal. */
export const VALUES = {
  text: fc.oneof(
    fc.array(fc.constantFrom(...LETTERS), { maxLength: 4 }).map((letters) => letters.join('')),
    fc.constantFrom('open', 'won', 'lost', 'sales'),
  ),
  integer: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)),
  decimal: fc.constantFrom('0', '-0.5', '10.50', '10.5', '2', '-3', '0.1', '123456789012345678.123456', '0.000001'),
  boolean: fc.boolean(),
  date: fc.oneof(day, fc.constantFrom('2024-02-29T', '0001-01-01T', '9999-12-31T')).map((text) => text.slice(0, 10)),
  datetime: fc.oneof(day, fc.constantFrom('2026-01-30T10:00:00.000Z', '2026-01-30T23:30:00.001Z')),
  time: fc.constantFrom('00:00:00', '09:30:00', '09:30:01', '23:59:59'),
  uuid: fc.constantFrom(...IDS),
  json: fc.constantFrom('{}', '[1, 2]', '"a"'),
} as const satisfies Partial<Record<ValueType, fc.Arbitrary<Value>>>;

export function valueOf(type: ValueType): fc.Arbitrary<Value> {
  return type === 'texts' || type === 'uuids' ? texts : VALUES[type];
}

export const texts = fc.uniqueArray(VALUES.text, { maxLength: 3 });

/** Paths of `lab.thing` with the type at their end; choices are left to the unit tests. */
const PATHS: readonly (readonly [path: readonly string[], type: ValueType])[] = [
  [['name'], 'text'],
  [['note'], 'text'],
  [['count'], 'integer'],
  [['amount'], 'decimal'],
  [['limit'], 'decimal'],
  [['done'], 'boolean'],
  [['due'], 'date'],
  [['begun'], 'date'],
  [['seen_at'], 'datetime'],
  [['opens'], 'time'],
  [['closes'], 'time'],
  [['extra'], 'json'],
  [['tags'], 'texts'],
  [['team'], 'uuid'],
  [['owner'], 'uuid'],
  [['owner', 'team'], 'uuid'],
  [['box', 'label'], 'text'],
  [['box', 'size'], 'integer'],
  [['box', 'weight'], 'decimal'],
  [['box', 'opened'], 'date'],
  [['box', 'codes'], 'texts'],
  [['box', 'shelf', 'room'], 'text'],
  [['box', 'shelf', 'level'], 'integer'],
  [['box', 'parent'], 'uuid'],
];

/** What a tree can be asked about. */
const IN_TREES = ['box', 'box.parent'];

const USER_FACTS: Partial<Record<ValueType, readonly string[]>> = {
  uuid: ['id', 'team'],
  uuids: ['teams', 'team_members'],
  texts: ['roles'],
  text: ['department', 'nothing', 'email'],
};

/** Settings by the type they compare with; what they are stands in `settings.ts`. */
const COMPARABLE: readonly (readonly [name: string, type: ValueType])[] = [
  ...['word', 'unset_word', 'wrong_word', 'own_word'].map((key) => [`lab.${key}`, 'text'] as const),
  ...['number', 'unset_number', 'wrong_number'].map((key) => [`lab.${key}`, 'decimal'] as const),
  ...['own_number', 'broken_number'].map((key) => [`lab.${key}`, 'integer'] as const),
  ['lab.yes', 'boolean'],
  ...['day', 'wrong_day'].map((key) => [`lab.${key}`, 'date'] as const),
];

const NUMBERS: readonly ValueType[] = ['integer', 'decimal'];

function fact(path: readonly string[]): Json {
  const [first, ...rest] = path;
  return rest.length === 0 ? { fact: first } : { fact: first, path: `$.${rest.join('.')}` };
}

/** A literal, another field, the user, the present: whatever has the type. */
function single(type: ValueType): fc.Arbitrary<unknown> {
  const options: fc.WeightedArbitrary<unknown>[] = [];
  if (type !== 'texts' && type !== 'uuids') options.push({ arbitrary: valueOf(type), weight: 4 });
  const fields = PATHS.filter(([, other]) => other === type || (NUMBERS.includes(type) && NUMBERS.includes(other)));
  if (fields.length > 0) options.push({ arbitrary: fc.constantFrom(...fields.map(([path]) => fact(path))), weight: 1 });
  const attributes = USER_FACTS[type];
  if (attributes !== undefined) {
    options.push({
      arbitrary: fc.constantFrom(...attributes.map((attribute) => ({ fact: 'user', path: `$.${attribute}` }))),
      weight: 1,
    });
  }
  const settings = COMPARABLE.filter(
    ([, other]) => other === type || (NUMBERS.includes(type) && NUMBERS.includes(other)),
  );
  if (settings.length > 0)
    options.push({ arbitrary: fc.constantFrom(...settings.map(([setting]) => ({ setting }))), weight: 1 });
  if (type === 'uuid') options.push({ arbitrary: fc.constant('@me'), weight: 1 });
  if (type === 'date') options.push({ arbitrary: fc.constantFrom('@today', { fact: 'today' }), weight: 1 });
  if (type === 'datetime') options.push({ arbitrary: fc.constantFrom('@now', { fact: 'now' }), weight: 1 });
  return fc.oneof(...options);
}

export const period: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...PERIODS),
  fc
    .tuple(
      fc.constantFrom('last', 'next'),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom('days', 'weeks', 'months', 'quarters', 'years'),
    )
    .map(([which, count, unit]) => `${which}_${count}_${unit}`),
);

const pattern: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom('%', '_', '\\%', '\\\\', '\\a'), fc.constantFrom(...LETTERS)), { maxLength: 4 })
  .map((parts) => parts.join(''))
  .filter(isPattern);

function right(type: ValueType, operator: Operator): fc.Arbitrary<unknown> {
  const element: ValueType = type === 'texts' ? 'text' : type === 'uuids' ? 'uuid' : type;
  const array: ValueType | undefined = element === 'text' ? 'texts' : element === 'uuid' ? 'uuids' : undefined;
  if (operator === 'null') return fc.boolean();
  if (operator === 'within') return period;
  if (operator === 'like' || operator === 'ilike') return pattern;
  if (operator === 'search') return VALUES.text;
  if (operator === 'under') return fc.oneof(VALUES.uuid, fc.constant('@me'));
  if (operator === 'between') return fc.tuple(single(type), single(type));
  if (operator === 'in' || operator === 'nin') {
    const list = fc.array(single(element), { maxLength: 3 });
    return array === undefined
      ? list
      : fc.oneof({ arbitrary: list, weight: 3 }, { arbitrary: single(array), weight: 1 });
  }
  if (operator === 'hasAny' || operator === 'hasAll') {
    const list = element === 'text' ? texts : fc.uniqueArray(VALUES.uuid, { maxLength: 3 });
    return fc.oneof({ arbitrary: list, weight: 3 }, { arbitrary: single(type), weight: 1 });
  }
  if (operator === 'eq' || operator === 'ne') {
    return fc.oneof({ arbitrary: single(element), weight: 9 }, { arbitrary: fc.constant(null), weight: 1 });
  }
  return single(element);
}

const TARGETS = [
  ...PATHS.map(([path, type]) => ({ left: fact(path), path, type })),
  ...(['id', 'team', 'teams', 'team_members', 'roles', 'department', 'nothing'] as const).map((attribute) => ({
    left: { fact: 'user', path: `$.${attribute}` },
    path: null,
    type:
      { id: 'uuid', team: 'uuid', teams: 'uuids', team_members: 'uuids', roles: 'texts' }[attribute as string] ??
      'text',
  })),
  { left: { fact: 'today' }, path: null, type: 'date' },
  { left: { fact: 'now' }, path: null, type: 'datetime' },
] as readonly { readonly left: Json; readonly path: readonly string[] | null; readonly type: ValueType }[];

function operatorsOf(path: readonly string[] | null, type: ValueType): readonly Operator[] {
  const inTree = path !== null && IN_TREES.includes(path.join('.'));
  return [...OPERATORS_OF[type]].filter((operator) => operator !== 'under' || inTree);
}

/** Conditions on the items of a thing. */
const itemLeaf: fc.Arbitrary<Json> = fc.oneof(
  fc.constant<Json>({}),
  fc.integer({ min: -2, max: 3 }).map((size): Json => ({ size: { gte: size } })),
  VALUES.text.map((label): Json => ({ label: { ne: label } })),
  period.map((due): Json => ({ due: { within: due } })),
  VALUES.uuid.map((box): Json => ({ box: { under: box } })),
  VALUES.text.map((label): Json => ({ box: { label: { gt: label } }, thing: { done: true } })),
);

const many: fc.Arbitrary<Json> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('some', 'none', 'every'),
      fc.oneof(
        itemLeaf,
        itemLeaf.map((of): Json => ({ not: of })),
      ),
    )
    .map(([quantifier, of]): Json => ({ items: { [quantifier]: of } })),
  fc
    .tuple(fc.constantFrom('eq', 'ne', 'lt', 'gte'), fc.integer({ min: 0, max: 3 }))
    .map(([operator, count]): Json => ({ items: { count: { [operator]: count } } })),
);

const leaf: fc.Arbitrary<Json> = fc.constantFrom(...TARGETS).chain(({ left, path, type }) =>
  fc.constantFrom(...operatorsOf(path, type)).chain((operator) =>
    fc.tuple(right(type, operator), fc.boolean()).map(([value, asFilter]): Json => {
      if (path === null || !asFilter) return { ...left, operator, value };
      return path.reduceRight<Json>((inner, key) => ({ [key]: inner }), { [operator]: value });
    }),
  ),
);

const businessHours: fc.Arbitrary<Json> = fc
  .boolean()
  .map((value) => ({ fact: 'business_hours', operator: 'equal', value }));

const shared: fc.Arbitrary<Json> = fc
  .tuple(fc.constantFrom('equal', 'notEqual'), fc.constantFrom('read', 'write'))
  .map(([operator, value]) => ({ fact: 'shared_with_me', operator, value }));

/** Conditions on `lab.thing`, every one of them valid. */
export const conditionJson: fc.Arbitrary<Json> = fc.letrec<{ node: Json; leaf: Json; group: Json; not: Json }>(
  (tie) => ({
    node: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      { arbitrary: tie('leaf'), weight: 6 },
      { arbitrary: tie('group'), weight: 3 },
      { arbitrary: tie('not'), weight: 2 },
    ),
    leaf: fc.oneof(
      { arbitrary: leaf, weight: 30 },
      { arbitrary: many, weight: 6 },
      { arbitrary: businessHours, weight: 1 },
      { arbitrary: shared, weight: 3 },
    ),
    group: fc
      .tuple(fc.constantFrom('all', 'any', 'and', 'or'), fc.array(tie('node'), { minLength: 1, maxLength: 3 }))
      .map(([key, members]): Json => ({ [key]: members })),
    not: tie('node').map((of): Json => ({ not: of })),
  }),
).node;
