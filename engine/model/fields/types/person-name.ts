/** A person's name in its parts. Sorting by the family name is sorting by that part. */
import type { FieldType } from '../../field-type.ts';
import { composite, joined } from '../composite.ts';

export const personName: FieldType = composite({
  key: 'person_name',
  parts: [
    { suffix: '_prefix', type: 'text', label: 'form of address', options: { max: 40 } },
    { suffix: '_given', type: 'text', label: 'given name', options: { max: 100 } },
    { suffix: '_middle', type: 'text', label: 'middle name', options: { max: 100 } },
    { suffix: '_family', type: 'text', label: 'family name', options: { max: 100 }, required: 'with' },
    { suffix: '_suffix', type: 'text', label: 'suffix', options: { max: 40 } },
  ],
  text: joined(['_prefix', '_given', '_middle', '_family', '_suffix'], ' '),
  widget: 'personname',
});
