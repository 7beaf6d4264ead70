/** Where a record stands in its lifecycle. Given at creation (in one of the lifecycle's `createIn` states), then moved by transitions alone. */
import type { FieldType } from '../../field-type.ts';
import { importChoice } from '../choices.ts';
import { choice } from './choice.ts';
import { options } from '../base.ts';

export const state: FieldType = {
  ...choice,
  key: 'state',
  readOnly: true,
  options: options({ lifecycle: { $ref: 'common.schema.json#/$defs/name', description: 'The lifecycle.' } }, [
    'lifecycle',
  ]),
  widget: () => 'state',
  importCell: importChoice,
};
