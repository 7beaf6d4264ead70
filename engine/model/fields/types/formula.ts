/** A value computed from others of the same record: a generated column. It behaves as a field of the type it returns. */
import type { FieldType } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { numberOption, options, refuse } from '../base.ts';
import { boolean } from './boolean.ts';
import { date } from './date.ts';
import { datetime } from './datetime.ts';
import { decimal } from './decimal.ts';
import { integer } from './integer.ts';
import { money } from './money.ts';
import { percent } from './percent.ts';
import { text } from './text.ts';

const RESULTS: ReadonlyMap<string, FieldType> = new Map(
  [text, integer, decimal, money, percent, boolean, date, datetime].map((type) => [type.key, type]),
);

const FORMULA_OPTIONS = options(
  {
    returns: { enum: [...RESULTS.keys()], description: 'Type of the result.' },
    expr: {
      type: 'string',
      minLength: 1,
      maxLength: 2000,
      description: 'The expression over fields of the same record, e.g. `amount * probability / 100`.',
    },
    scale: {
      type: 'integer',
      minimum: 0,
      maximum: 12,
      description: 'Digits after the decimal point of a decimal, money or percent result; 2 when left out.',
    },
    currency: {
      $ref: 'common.schema.json#/$defs/key',
      description: 'Money field whose currency the result has; the first one in the expression when left out.',
    },
  },
  ['returns', 'expr'],
);

/** Results get the widest column of their kind: an intermediate overflow would refuse a write for a reason nobody can see. */
function columnType(field: Field, result: FieldType): string {
  if (result.valueType === 'decimal') return `numeric(38,${numberOption(field, 'scale', 2)})`;
  return (
    { text: 'text', integer: 'bigint', boolean: 'boolean', date: 'date', datetime: 'timestamptz(3)' }[result.key] ??
    'text'
  );
}

const computed = () => refuse('read_only', 'This is computed.');

function formulaOf(result: FieldType): FieldType {
  const { companions: _, ...inherited } = result;
  return {
    ...inherited,
    key: 'formula',
    readOnly: true,
    computed: true,
    options: FORMULA_OPTIONS,
    columns: (field) => [{ name: field.key, type: columnType(field, result), computed: true }],
    inputSchema: () => null,
    normalise: computed,
    searchable: false,
    importCell: computed,
    widget: () => 'readonly',
  };
}

const formulas: ReadonlyMap<string, FieldType> = new Map([...RESULTS].map(([key, type]) => [key, formulaOf(type)]));

/** The formula type whose results behave as `returns`; `undefined` for a type a formula cannot return. */
export function formulaReturning(returns: string): FieldType | undefined {
  return formulas.get(returns);
}

/** What the registry lists: knows the options; the model's fields have the type that {@link formulaReturning} gives. */
export const formula: FieldType = formulaOf(decimal);
