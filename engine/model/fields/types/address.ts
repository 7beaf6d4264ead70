/** A postal address: street, second line, postal code, city, region and country, each a field of its own. */
import type { FieldType } from '../../field-type.ts';
import { composite, joined } from '../composite.ts';

const PLACE = `nullif(btrim(coalesce({_postal_code}, '') || ' ' || coalesce({_city}, '')), '')`;

export const address: FieldType = composite({
  key: 'address',
  parts: [
    { suffix: '_street', type: 'text', label: 'street', options: { max: 200 } },
    { suffix: '_line2', type: 'text', label: 'second line', options: { max: 200 } },
    { suffix: '_postal_code', type: 'text', label: 'postal code', options: { max: 20 } },
    { suffix: '_city', type: 'text', label: 'city', options: { max: 120 }, required: 'with' },
    { suffix: '_region', type: 'text', label: 'region', options: { max: 120 } },
    { suffix: '_country', type: 'country', label: 'country', required: 'with' },
  ],
  // As most of the world writes it in one line; how an envelope wants it is a matter of its country.
  text: joined(['_street', '_line2', '_place', '_region', '_country'], ', ').replace('{_place}', PLACE),
  widget: 'address',
});
