/** A percentage: 12.5 means 12.5 %, so that formulas divide by 100. */
import type { FieldType } from '../../field-type.ts';
import { numberOption, options } from '../base.ts';
import { decimalOptions, decimalParts } from './decimal.ts';

const WHOLE_DIGITS = 7;

const parts = decimalParts((field) => {
  const scale = numberOption(field, 'scale', 2);
  return { precision: WHOLE_DIGITS + scale, scale };
});

export const percent: FieldType = {
  key: 'percent',
  options: options({
    ...decimalOptions,
    scale: { type: 'integer', minimum: 0, maximum: 6, description: 'Digits after the decimal point; 2 when left out.' },
  }),
  ...parts,
  widget: () => 'percent',
  importCell: (cell, field, context) => parts.importCell(cell.replace(/\s*[%٪]$/, ''), field, context),
};
