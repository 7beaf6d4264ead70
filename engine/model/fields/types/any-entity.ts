/** Which entity's record a reference to one of several entities points at: computed from the references behind it. */
import type { FieldType } from '../../field-type.ts';
import { waysOf } from '../../any-ways.ts';
import { EQUALITY, options, refuse } from '../base.ts';
import { text } from './text.ts';

const computed = () => refuse('read_only', 'This is computed.');

export const anyEntity: FieldType = {
  ...text,
  key: 'any_entity',
  internal: true,
  readOnly: true,
  computed: true,
  options: options({}),
  columns: (field) => {
    const ways = waysOf(field);
    const cases = ways.map((way) => `when {:${way.field}} is not null then '${way.entity}'`);
    const filled = `num_nonnulls(${ways.map((way) => `{:${way.field}}`).join(', ')})`;
    return [
      {
        name: field.key,
        type: 'text',
        generated: `case ${cases.join(' ')} end`,
        checks: [{ suffix: 'one', sql: `${filled} ${field.options['needed'] === true ? '=' : '<='} 1` }],
      },
    ];
  },
  inputSchema: () => null,
  outputSchema: () => ({ type: 'string' }),
  normalise: computed,
  operators: EQUALITY,
  searchable: false,
  importCell: computed,
  widget: () => 'readonly',
};
