/**
 * A value over a list of records: their number, the sum of their amounts, the earliest of their dates. Over the parts of
 * a record it is kept in a column; over others it is computed when it is read, from what the reader may see.
 */
import type { FieldType } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { numberOption, options, refuse } from '../base.ts';
import { date } from './date.ts';
import { datetime } from './datetime.ts';
import { decimal } from './decimal.ts';
import { integer } from './integer.ts';
import { money } from './money.ts';
import { percent } from './percent.ts';

const RESULTS: ReadonlyMap<string, FieldType> = new Map(
  [integer, decimal, money, percent, date, datetime].map((type) => [type.key, type]),
);

export const FUNCTIONS = ['count', 'sum', 'avg', 'min', 'max'] as const;

const ROLLUP_OPTIONS = options(
  {
    of: {
      type: 'string',
      pattern: '^[a-z][a-z0-9_]{0,39}(\\.[a-z][a-z0-9_]{0,39}){0,2}$',
      description:
        'The records: a field of this entity that lists some (`lines`), or the reference of another entity that points here (`shop.order.buyer`).',
    },
    fn: { enum: [...FUNCTIONS], description: 'What is told of them.' },
    field: {
      $ref: 'common.schema.json#/$defs/key',
      description: 'Of which of their fields; `count` needs none.',
    },
    where: {
      $ref: 'common.schema.json#/$defs/condition',
      description: 'Which of them count: a condition over their fields.',
    },
  },
  ['of', 'fn'],
);

function columnType(field: Field, result: FieldType): string {
  if (result.valueType === 'decimal') return `numeric(38,${numberOption(field, 'scale', 2)})`;
  return { integer: 'bigint', date: 'date', datetime: 'timestamptz(3)' }[result.key] ?? 'text';
}

const computed = () => refuse('read_only', 'This is computed.');

function rollupOf(result: FieldType): FieldType {
  const { companions: _, ...inherited } = result;
  return {
    ...inherited,
    key: 'rollup',
    readOnly: true,
    keyed: false,
    options: ROLLUP_OPTIONS,
    columns: (field) =>
      field.rollup === null
        ? []
        : [
            {
              name: field.key,
              type: columnType(field, result),
              // Nothing is none, and its sum is zero.
              ...((field.rollup.fn === 'count' || field.rollup.fn === 'sum') && { default: '0' }),
            },
          ],
    inputSchema: () => null,
    normalise: computed,
    searchable: false,
    importCell: computed,
    widget: () => 'readonly',
  };
}

const rollups: ReadonlyMap<string, FieldType> = new Map([...RESULTS].map(([key, type]) => [key, rollupOf(type)]));

/** The rollup type whose results behave as `result` (key of a type); `undefined` for a type that has no rollups. */
export function rollupReturning(result: string): FieldType | undefined {
  return rollups.get(result);
}

/** What the registry lists: knows the options; the model's fields have the type that {@link rollupReturning} gives. */
export const rollup: FieldType = rollupOf(integer);
