import { expect, test, vi } from 'vitest';
import { parcelCode } from '#tests/support/parcel-code.ts';

// A registry of its own: another file's model would have closed it.
vi.resetModules();
const { documentedTypes, fieldTypes, registerFieldTypes, sealFieldTypes } = await import('./index.ts');

test('types are found by their files, and a plugin adds its own until a model is built', () => {
  expect(documentedTypes()).toEqual(expect.arrayContaining(['text', 'address', 'rating', 'encrypted']));
  expect(documentedTypes()).not.toContain('any_id');
  expect(() => registerFieldTypes([{ ...parcelCode, key: 'text' }], 'parcels')).toThrow('which the engine has brought');
  expect(() => registerFieldTypes([JSON.parse('{"key":"x"}')], 'parcels')).toThrow('no field type');
  registerFieldTypes([parcelCode], 'parcels');
  expect(fieldTypes.get('parcel_code')).toBe(parcelCode);
  expect(() => registerFieldTypes([parcelCode], 'others')).toThrow('which parcels has brought');
  sealFieldTypes();
  expect(() => registerFieldTypes([], 'late')).toThrow('too late');
});
