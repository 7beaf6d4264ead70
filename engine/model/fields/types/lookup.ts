/** The value of a field of the record that a reference leads to, read where it stands: nothing is stored here. */
import type { FieldType } from '../../field-type.ts';
import { options, refuse } from '../base.ts';
import { text } from './text.ts';

const LOOKUP_OPTIONS = options(
  {
    via: {
      type: 'string',
      pattern: '^[a-z][a-z0-9_]{0,39}(\\.[a-z][a-z0-9_]{0,39}){0,2}$',
      description: 'The reference that leads there, or several with dots between them: `account`, `account.owner`.',
    },
    field: {
      $ref: 'common.schema.json#/$defs/key',
      description: 'The field there whose value is shown.',
    },
  },
  ['via', 'field'],
);

const derived = () => refuse('read_only', 'This is looked up.');

/** It behaves as the field it shows. */
export function lookupOf(target: FieldType): FieldType {
  const { companions: _, computed: _computed, ...inherited } = target;
  return {
    ...inherited,
    key: 'lookup',
    readOnly: true,
    keyed: false,
    options: LOOKUP_OPTIONS,
    columns: () => [],
    inputSchema: () => null,
    normalise: derived,
    searchable: false,
    importCell: derived,
    widget: () => 'readonly',
  };
}

/** What the registry lists: knows the options; the model's fields have the type that {@link lookupOf} gives. */
export const lookup: FieldType = lookupOf(text);
