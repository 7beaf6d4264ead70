/** A place on the map: latitude and longitude in degrees (WGS 84), to six decimals, about ten centimetres. */
import type { FieldType } from '../../field-type.ts';
import { composite } from '../composite.ts';

export const location: FieldType = composite({
  key: 'location',
  parts: [
    {
      suffix: '_latitude',
      type: 'decimal',
      label: 'latitude',
      options: { precision: 8, scale: 6, min: -90, max: 90 },
      required: 'with',
    },
    {
      suffix: '_longitude',
      type: 'decimal',
      label: 'longitude',
      options: { precision: 9, scale: 6, min: -180, max: 180 },
      required: 'with',
    },
  ],
  text: `{_latitude}::text || ', ' || {_longitude}::text`,
  // Half a place is none.
  checks: [{ suffix: 'both', sql: `({_latitude} is null) = ({_longitude} is null)` }],
  widget: 'location',
  sortable: false,
});
