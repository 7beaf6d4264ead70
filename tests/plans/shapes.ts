/**
 * Every shape of filter that the grammar makes on an indexed field: each operator that the model offers for it, alone and
 * inside whatever conditions may stand in. Values are such that few of a million records are found; where a shape turns
 * a test round, most of them fulfil the test.
 */
import type { Entity, Field } from '#engine/model/model.ts';
import type { Operator } from '#engine/model/value-type.ts';
import { idOf, type Reader } from './warehouse.ts';

export interface Shape {
  /** The entity that is asked for. */
  readonly entity: 'article' | 'part' | 'shelf' | 'label';
  /** `amount gte`, what is filtered by. */
  readonly test: string;
  readonly field: string;
  readonly operator: Operator;
  /** What stands around it. */
  readonly around: Around;
  readonly query: object;
}

/** A value that one record or few have, ends of the range they are in, and what only texts and lists have. */
interface Values {
  readonly one: unknown;
  readonly few: readonly unknown[];
  readonly low?: unknown;
  readonly high?: unknown;
  readonly part?: readonly [start: string, middle: string, end: string];
  readonly word?: string;
}

const text = (one: string, part: readonly [string, string, string], word: string): Values => ({
  one,
  few: [one, `${one}1`, `${one}2`],
  part,
  word,
});
const record = (kind: string): Values => ({
  one: idOf(kind, 777),
  few: [7, 77, 777].map((number) => idOf(kind, number)),
});
const ordered = (low: unknown, high: unknown, few: readonly unknown[]): Values => ({ one: few[0], few, low, high });

/** By field. A field of the model that is not here fails the test. */
const VALUES: Readonly<Record<string, Values>> = {
  name: text('Article a87ff679a2f3', ['Article a87ff', '87ff679a2', '679a2f3'], 'a87ff679a2f3'),
  code: text('c777777', ['c77777', '777777', '777777'], 'c777777'),
  kind: { one: 'broken', few: ['used', 'broken'], part: ['use', 'se', 'sed'], word: 'used' },
  rank: ordered(50, 999_950, [777, 7, 77]),
  amount: ordered('7.00', '142800.00', ['100.00', '101.00', '102.00']),
  weight: ordered('20.00', '333300.00', ['100.00', '101.00', '102.00']),
  due: ordered('2000-01-02', '2039-02-10', ['2005-05-05', '2006-06-06', '2007-07-07']),
  seen_at: ordered('2020-01-01T12:00:00.000Z', '2027-08-09T00:00:00.000Z', [
    '2021-01-01T00:04:00.000Z',
    '2022-01-01T00:04:00.000Z',
    '2023-01-01T00:04:00.000Z',
  ]),
  created_at: ordered('2026-01-01T00:01:00.000Z', '2026-01-12T13:45:00.000Z', [
    '2026-01-02T00:00:00.000Z',
    '2026-01-03T00:00:00.000Z',
    '2026-01-04T00:00:00.000Z',
  ]),
  opens: ordered('00:00:03', '23:59:57', ['07:07:07', '08:08:08', '09:09:09']),
  sold: { one: true, few: [true] },
  tags: { one: 't777', few: ['t777', 't778'] },
  shelf: record('222'),
  about_shelf: record('222'),
  about_box: record('444'),
  owner: record('111'),
  id: record('000'),
};

type Operand = { readonly few: unknown; readonly most?: unknown };

function operandOf(operator: Operator, values: Values): Operand {
  const { one, few, low, high, part, word } = values;
  switch (operator) {
    case 'eq':
    case 'has':
    case 'under':
      return { few: one };
    case 'ne':
      return { few: one, most: one };
    case 'in':
    case 'hasAny':
    case 'hasAll':
      return { few };
    case 'nin':
      return { few, most: few };
    case 'null':
      return { few: true, most: false };
    case 'lt':
    case 'lte':
      return { few: low, most: high };
    case 'gt':
    case 'gte':
      return { few: high, most: low };
    case 'between':
      return { few: [few[0], few[0]], most: [low, high] };
    case 'within':
      return { few: 'yesterday' };
    case 'contains':
      return { few: part?.[1] };
    case 'icontains':
      return { few: part?.[1].toUpperCase() };
    case 'starts':
      return { few: part?.[0] };
    case 'istarts':
      return { few: part?.[0].toUpperCase() };
    case 'ends':
      return { few: part?.[2] };
    case 'like':
    case 'ilike':
      return { few: `${part?.[0]}%` };
    case 'search':
      return { few: word };
  }
}

type Where = Readonly<Record<string, unknown>>;
interface Frame {
  readonly entity?: Shape['entity'];
  /** `most`: the test is turned round, so it is one that most records fulfil. */
  readonly with?: 'most';
  readonly query: (where: Where) => object;
}

/** Where a test may stand, and what else a query may ask. */
const FRAMES = {
  alone: { query: (where) => ({ where }) },
  'and-ed': { query: (where) => ({ where: { and: [where, { kind: 'new' }] } }) },
  'or-ed': { query: (where) => ({ where: { or: [where, { rank: 777 }] } }) },
  'or-ed with a list': { query: (where) => ({ where: { or: [where, { parts: { some: { quantity: 777 } } }] } }) },
  'or-ed with a reference': { query: (where) => ({ where: { or: [where, { shelf: { name: 'Shelf 777' } }] } }) },
  negated: { query: (where) => ({ where: { not: where } }) },
  'negated, of most': { with: 'most', query: (where) => ({ where: { not: where } }) },
  'through a reference': { entity: 'part', query: (where) => ({ where: { article: where } }) },
  some: { entity: 'shelf', query: (where) => ({ where: { articles: { some: where } } }) },
  none: { entity: 'shelf', query: (where) => ({ where: { articles: { none: where } } }) },
  every: { entity: 'shelf', with: 'most', query: (where) => ({ where: { articles: { every: where } } }) },
  'some, linked': { entity: 'label', query: (where) => ({ where: { labelled: { some: where } } }) },
  sorted: { query: (where) => ({ where, order: ['-rank'] }) },
  'sorted over a reference': { query: (where) => ({ where, order: ['shelf.name'] }) },
  searched: { query: (where) => ({ where, search: 'a87ff679a2f3' }) },
  counted: { query: (where) => ({ where, count: 'exact' }) },
  summed: { query: (where) => ({ where, group: ['kind'], aggregate: ['n:count()', 's:sum(amount)'] }) },
} as const satisfies Readonly<Record<string, Frame>>;
export type Around = keyof typeof FRAMES;

/** Fields of the entity that an index is kept of. */
export function indexedFields(entity: Entity): Field[] {
  return [...entity.fields.values()].filter(
    (field) =>
      field.column !== null &&
      (field.index || Boolean(field.reference) || ['id', 'created_at'].includes(field.key)) &&
      !['created_by', 'updated_by', 'deleted_by'].includes(field.key),
  );
}

/** One field of each value type stands everywhere; the SQL of the others differs in the column alone. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  'name',
  'rank',
  'amount',
  'due',
  'seen_at',
  'opens',
  'sold',
  'tags',
  'shelf',
]);
const PLAIN: readonly string[] = ['alone', 'or-ed', 'negated', 'negated, of most', 'sorted'];
/** The statements of somebody who owns records, with other records in them: what Postgres may expect of both is the same. */
const OF_GUESTS: readonly string[] = ['alone', 'or-ed', 'sorted', 'counted'];

export function asked(shape: Shape, reader: Reader): boolean {
  if (!EVERYWHERE.has(shape.field) && !PLAIN.includes(shape.around)) return false;
  return reader !== 'guest' || OF_GUESTS.includes(shape.around);
}

export function shapesOf(field: Field, operators: readonly Operator[]): Shape[] {
  const values = VALUES[field.key];
  if (values === undefined) throw new TypeError(`no values of ${field.key} to look for`);
  return operators.flatMap((operator) => {
    const operand = operandOf(operator, values);
    return Object.entries(FRAMES).flatMap(([around, frame]: [string, Frame]): Shape[] => {
      const value = frame.with === 'most' ? operand.most : operand.few;
      if (value === undefined) return [];
      return [
        {
          entity: frame.entity ?? 'article',
          test: `${field.key} ${operator}`,
          field: field.key,
          operator,
          around: around as Around,
          query: frame.query({ [field.key]: { [operator]: value } }),
        },
      ];
    });
  });
}
