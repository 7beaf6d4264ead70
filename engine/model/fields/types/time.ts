/** A time of day, to the second and without a zone: opening hours, not moments. */
import { parseTime } from '../../../condition/literals.ts';
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, options, ORDERED, refuse, textOption, wrongType } from '../base.ts';
import { latinDigits } from '../number-text.ts';

const TWELVE_HOURS = /^(\d{1,2})(?:[:.](\d{2})(?:[:.](\d{2}))?)?\s*([ap])\.?m\.?$/i;
const WRITTEN = /^(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?$/i;

function bounded(text: string, field: Field): Parsed {
  const time = parseTime(text);
  if (time === undefined)
    return refuse('time', `“${text.slice(0, 40)}” is not a time of day. Write it as 13:45 or 13:45:30.`);
  const min = textOption(field, 'min');
  const max = textOption(field, 'max');
  if (min !== null && time < (parseTime(min) ?? '')) return refuse('too_small', `At the earliest ${min}.`, { min });
  if (max !== null && time > (parseTime(max) ?? '')) return refuse('too_large', `At the latest ${max}.`, { max });
  return accept(time);
}

/** `9.30`, `9:30 pm`, `21h30`, in Latin or Arabic digits. */
function written(cell: string): string {
  const text = latinDigits(cell).trim();
  const twelve = TWELVE_HOURS.exec(text);
  const plain = twelve ? null : WRITTEN.exec(text);
  const [, hour = '', minute = '00', second = '00', half = ''] = twelve ?? plain ?? [];
  if (hour === '') return text;
  if (twelve && (Number(hour) < 1 || Number(hour) > 12)) return text;
  const hours = twelve ? (Number(hour) % 12) + (half.toLowerCase() === 'p' ? 12 : 0) : Number(hour);
  return `${String(hours).padStart(2, '0')}:${minute}:${second}`;
}

const bound = (description: string) => ({
  type: 'string',
  pattern: '^([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?$',
  description,
});

function checks(field: Field): readonly { readonly suffix: string; readonly sql: string }[] {
  const limit = (key: 'min' | 'max', sign: string) => {
    const text = textOption(field, key);
    const time = text === null ? undefined : parseTime(text);
    return time === undefined ? [] : [{ suffix: key, sql: `{} ${sign} '${time}'::time` }];
  };
  return [
    // Postgres knows 24:00 as a time of its own; nobody else does.
    { suffix: 'day', sql: `{} < '24:00'::time` },
    ...limit('min', '>='),
    ...limit('max', '<='),
  ];
}

export const time: FieldType = {
  key: 'time',
  options: options({ min: bound('The earliest time, `08:00`.'), max: bound('The latest time.') }),
  valueType: 'time',
  columns: (field) => [{ name: field.key, type: 'time(0)', checks: checks(field) }],
  inputSchema: () => ({ type: 'string', pattern: '^([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?$' }),
  outputSchema: () => ({ type: 'string', pattern: '^([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d$' }),
  normalise: (value, field) =>
    typeof value === 'string' ? bounded(value, field) : wrongType('a time such as "13:45"'),
  select: (column) => column,
  operators: ORDERED,
  sortable: true,
  groupable: true,
  aggregates: ['min', 'max'],
  searchable: false,
  widget: () => 'time',
  importCell: (cell, field) => bounded(written(cell), field),
  exportCell: (value) => String(value),
};
