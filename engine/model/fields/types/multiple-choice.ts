/** Several of a list. Stored as an array of keys, each once, in the order in which they are offered. */
import { literal } from '../../../db/identifiers.ts';
import type { ChoiceLabel, FieldType, Parsed, ValueContext } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, numberOption, options, refuse, wrongType } from '../base.ts';
import { choiceOptions, exportChoice, importChoice, keysOf } from '../choices.ts';

const bounds = (field: Field) => ({
  min: numberOption(field, 'min', 0),
  max: numberOption(field, 'max', keysOf(field).length),
});

function collect(words: readonly string[], field: Field, context?: ValueContext): Parsed {
  const chosen = new Set<string>();
  for (const word of words) {
    if (word.trim() === '') continue;
    const found = importChoice(word, field, context);
    if ('error' in found) return found;
    chosen.add(String(found.value));
  }
  const { min, max } = bounds(field);
  if (chosen.size === 0) return field.required ? refuse('required', 'This is required.') : accept(null);
  if (chosen.size < min) return refuse('too_few', `At least ${min} of them; these are ${chosen.size}.`, { min });
  if (chosen.size > max) return refuse('too_many', `At most ${max} of them; these are ${chosen.size}.`, { max });
  return accept(keysOf(field).filter((key) => chosen.has(key)));
}

/** A label may hold a comma; where one does, only semicolons and line breaks separate. */
function split(cell: string, field: Field, context: ValueContext): readonly string[] {
  const words = cell.split(/[;\n]/);
  if (words.length > 1 || 'value' in importChoice(cell, field, context)) return words;
  return cell.split(',');
}

/** What would fall apart in a cell is written as its key. */
function word(key: string, field: Field, choiceLabel?: ChoiceLabel | null): string {
  const label = exportChoice(key, field, choiceLabel);
  return /[;,\n]/.test(label) ? key : label;
}

export const multipleChoice: FieldType = {
  key: 'multiple_choice',
  options: options(
    {
      ...choiceOptions,
      min: { type: 'integer', minimum: 1, maximum: 500, description: 'How many at least, when there are any.' },
      max: { type: 'integer', minimum: 1, maximum: 500, description: 'How many at most.' },
    },
    ['choices'],
  ),
  valueType: 'texts',
  columns: (field) => {
    const { min, max } = bounds(field);
    return [
      {
        name: field.key,
        type: 'text[]',
        checks: [
          {
            suffix: 'choice',
            sql: `{} <@ array[${keysOf(field)
              .map((key) => literal(key))
              .join(', ')}]::text[]`,
          },
          { suffix: 'some', sql: `cardinality({}) > 0` },
          ...(min > 0 ? [{ suffix: 'min', sql: `cardinality({}) >= ${min}` }] : []),
          ...(max < keysOf(field).length ? [{ suffix: 'max', sql: `cardinality({}) <= ${max}` }] : []),
        ],
      },
    ];
  },
  inputSchema: (field) => ({
    type: 'array',
    items: { type: 'string', enum: keysOf(field) },
    // The same one twice is that one.
    maxItems: 1000,
    ...(field.required ? { minItems: 1 } : {}),
  }),
  outputSchema: (field) => ({ type: 'array', items: { type: 'string' }, maxItems: keysOf(field).length }),
  normalise: (value, field) =>
    Array.isArray(value) ? collect(value.map(String), field) : wrongType('a list of choices'),
  select: (column) => column,
  operators: ['has', 'hasAny', 'hasAll', 'null'],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'multiselect',
  importCell: (cell, field, context) => collect(split(cell, field, context), field, context),
  exportCell: (value, field) =>
    Array.isArray(value) ? value.map((key) => word(String(key), field)).join('; ') : String(value),
  fileCell: (value, field, label) =>
    Array.isArray(value) ? value.map((key) => word(String(key), field, label)).join('; ') : String(value),
};
