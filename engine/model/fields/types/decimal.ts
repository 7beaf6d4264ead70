/** An exact decimal: `numeric` in the database, a string in JSON. Money and percent are decimals with other manners. */
import type { FieldType, JsonSchema, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { boundOption, numberOption, options, ORDERED, wrongType } from '../base.ts';
import { fixedDecimal, readNumber, withinBounds } from '../number-text.ts';

/** Bounds may be written as whole numbers or, exactly, as strings. */
export const BOUND: JsonSchema = { type: ['integer', 'string'], pattern: '^-?\\d+(\\.\\d+)?$' };
export const bound = (description: string): JsonSchema => ({ ...BOUND, description });

export const decimalOptions = {
  min: bound('The smallest value.'),
  max: bound('The largest value.'),
};

export interface Size {
  readonly precision: number;
  readonly scale: number;
}

/** Builds the parts that decimals, money and percent share. */
export function decimalParts(sizeOf: (field: Field) => Size) {
  const normalise = (text: string, field: Field): Parsed => {
    const { precision, scale } = sizeOf(field);
    return withinBounds(fixedDecimal(text, precision, scale), boundOption(field, 'min'), boundOption(field, 'max'));
  };
  return {
    valueType: 'decimal',
    columns: (field) => {
      const { precision, scale } = sizeOf(field);
      const min = boundOption(field, 'min');
      const max = boundOption(field, 'max');
      return [
        {
          name: field.key,
          type: `numeric(${precision},${scale})`,
          checks: [
            ...(min === null ? [] : [{ suffix: 'min', sql: `{} >= ${min}` }]),
            ...(max === null ? [] : [{ suffix: 'max', sql: `{} <= ${max}` }]),
          ],
        },
      ];
    },
    inputSchema: () => ({ type: 'string', pattern: '^-?\\d{1,40}(\\.\\d{1,40})?$', maxLength: 82 }),
    outputSchema: (field) => {
      const { scale } = sizeOf(field);
      return { type: 'string', pattern: scale === 0 ? '^-?\\d+$' : `^-?\\d+\\.\\d{${scale}}$` };
    },
    normalise: (value, field) =>
      typeof value === 'string' ? normalise(value, field) : wrongType('a decimal number written as text, e.g. "10.50"'),
    select: (column) => `${column}::text`,
    operators: ORDERED,
    sortable: true,
    groupable: false,
    aggregates: ['sum', 'avg', 'min', 'max'],
    searchable: false,
    importCell: (cell, field, context) => {
      const read = readNumber(cell, context);
      return 'error' in read ? read : normalise(read.number, field);
    },
    exportCell: (value) => String(value),
  } as const satisfies Partial<FieldType>;
}

const size = (field: Field): Size => {
  const precision = numberOption(field, 'precision', 19);
  return { precision, scale: Math.min(numberOption(field, 'scale', 2), precision) };
};

export const decimal: FieldType = {
  key: 'decimal',
  options: options({
    ...decimalOptions,
    precision: { type: 'integer', minimum: 1, maximum: 38, description: 'Digits in total; 19 when left out.' },
    scale: {
      type: 'integer',
      minimum: 0,
      maximum: 12,
      description: 'Digits after the decimal point; 2 when left out.',
    },
  }),
  ...decimalParts(size),
  widget: () => 'decimal',
};
