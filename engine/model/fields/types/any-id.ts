/** Which record a reference to one of several entities points at: computed from the references behind it. */
import { waysOf } from '../../any-ways.ts';
import type { FieldType } from '../../field-type.ts';
import { options, refuse } from '../base.ts';
import { reference } from './reference.ts';

const computed = () => refuse('read_only', 'This is computed.');

export const anyId: FieldType = {
  ...reference,
  key: 'any_id',
  internal: true,
  readOnly: true,
  computed: true,
  options: options({}),
  columns: (field) => [
    {
      name: field.key,
      type: 'uuid',
      generated: `coalesce(${waysOf(field)
        .map((way) => `{:${way.field}}`)
        .join(', ')})`,
    },
  ],
  inputSchema: () => null,
  normalise: computed,
  importCell: computed,
  widget: () => 'readonly',
};
