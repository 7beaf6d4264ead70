/** A line of text. */
import { literal } from '../../../db/identifiers.ts';
import type { FieldType } from '../../field-type.ts';
import { accept, numberOption, options, refuse, TEXTUAL, textOption, wrongType } from '../base.ts';
import { cleanText, withinLength } from '../text-value.ts';

const DEFAULT_MAX = 200;

export const text: FieldType = {
  key: 'text',
  options: options({
    max: { type: 'integer', minimum: 1, maximum: 2000, description: 'Characters at most; 200 when left out.' },
    min: { type: 'integer', minimum: 1, maximum: 2000, description: 'Characters at least.' },
    pattern: {
      type: 'string',
      format: 'field-pattern',
      description: 'Regular expression that the whole text or, without ^ and $, a part of it must match.',
    },
    patternMessage: {
      type: 'string',
      maxLength: 200,
      description: 'What people read when the pattern does not match.',
    },
  }),
  valueType: 'text',
  columns: (field) => {
    const pattern = textOption(field, 'pattern');
    const min = numberOption(field, 'min', 0);
    return [
      {
        name: field.key,
        type: 'text',
        checks: [
          { suffix: 'max', sql: `char_length({}) <= ${numberOption(field, 'max', DEFAULT_MAX)}` },
          ...(min > 0 ? [{ suffix: 'min', sql: `char_length({}) >= ${min}` }] : []),
          ...(pattern === null ? [] : [{ suffix: 'pattern', sql: `{} ~ ${literal(pattern).trim()}` }]),
        ],
      },
    ];
  },
  inputSchema: (field) => {
    const pattern = textOption(field, 'pattern');
    const min = numberOption(field, 'min', 0);
    return {
      type: 'string',
      maxLength: numberOption(field, 'max', DEFAULT_MAX),
      ...(min > 0 ? { minLength: min } : field.required ? { minLength: 1 } : {}),
      ...(pattern === null ? {} : { pattern }),
    };
  },
  outputSchema: () => ({ type: 'string' }),
  normalise: (value, field) => (typeof value === 'string' ? cleanText(value, field, false) : wrongType('text')),
  select: (column) => column,
  operators: TEXTUAL,
  sortable: true,
  groupable: true,
  aggregates: [],
  searchable: true,
  widget: () => 'text',
  importCell: (cell, field) => {
    const max = numberOption(field, 'max', DEFAULT_MAX);
    const parsed = withinLength(cleanText(cell, field, false), numberOption(field, 'min', 0), max);
    const pattern = textOption(field, 'pattern');
    if ('error' in parsed || typeof parsed.value !== 'string' || pattern === null) return parsed;
    if (new RegExp(pattern, 'u').test(parsed.value)) return accept(parsed.value);
    return refuse('pattern', textOption(field, 'patternMessage') ?? `This does not have the form ${pattern}.`, {
      pattern,
    });
  },
  exportCell: (value) => String(value),
};
