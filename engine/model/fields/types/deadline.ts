/**
 * A moment so many business minutes after another one. The database computes it when the record is made, and anew when
 * what it is computed from changes on the record; what changes over there later moves no deadline that was promised. Its clock may stop.
 */
import type { FieldType } from '../../field-type.ts';
import { options, refuse } from '../base.ts';
import { datetime } from './datetime.ts';

const key = (description: string) => ({ $ref: 'common.schema.json#/$defs/key', description });

export const deadline: FieldType = {
  ...datetime,
  key: 'deadline',
  readOnly: true,
  options: options(
    {
      from: key('The date-time it starts from; the creation of the record where that is empty.'),
      minutes: {
        type: 'object',
        title: 'DeadlineMinutesDocument',
        description: 'How many minutes of the organisation’s business hours later it ends. Holidays do not count.',
        additionalProperties: false,
        required: ['via', 'by', 'fields'],
        properties: {
          via: key('The reference to the record that holds the minutes.'),
          by: key('The choice of this record by which one of them is taken.'),
          fields: {
            type: 'object',
            description: 'Choice → integer field over there.',
            minProperties: 1,
            additionalProperties: key('The field with the minutes.'),
          },
        },
      },
      pause: {
        $ref: 'common.schema.json#/$defs/condition',
        description:
          'While the record fulfils it, the clock stands: the field is empty, and when the clock goes on, as many minutes are left as there were.',
      },
    },
    ['from', 'minutes'],
  ),
  // With pauses: what it was when the clock stopped, and when the clock has stood. Both are the row trigger's own.
  columns: (field) => [
    ...datetime.columns(field),
    ...(field.options['pause'] === undefined
      ? []
      : [
          { name: `${field.key}~kept`, type: 'timestamptz(3)' },
          { name: `${field.key}~pauses`, type: 'tstzmultirange' },
        ]),
  ],
  inputSchema: () => null,
  normalise: () => refuse('read_only', 'This is computed.'),
  importCell: () => refuse('read_only', 'This is computed.'),
  widget: () => 'readonly',
};
