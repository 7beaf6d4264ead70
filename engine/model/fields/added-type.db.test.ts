/** A field type that comes from outside: one object, registered, and it works everywhere a type of ours does. */
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { buildUiModel } from '#engine/api/ui-model-build.ts';
import { fieldTypes, registerFieldTypes } from '#engine/model/fields/index.ts';
import { bodySchema } from '#engine/records/write/validate.ts';
import { type FieldLab, makeFieldLab } from '#tests/support/field-lab.ts';
import { parcelCode } from '#tests/support/parcel-code.ts';
import { testDatabase } from '#tests/support/postgres.ts';

registerFieldTypes([parcelCode], 'the plugin parcels');
const lab: FieldLab = await makeFieldLab(await testDatabase(), [
  { key: 'code', type: 'parcel_code', unique: true, search: 'A' },
]);
afterAll(() => lab.close());

test('is written, read, filtered, sorted, searched and kept unique', async () => {
  expect(await lab.create({ name: 'b', code: ' px000426 ' })).toMatchObject({ code: 'PX-00042-6' });
  await lab.create({ name: 'a', code: 'AB-00000-0' });
  expect(await lab.names('code=PX-00042-6')).toEqual(['b']);
  expect(await lab.names('code[starts]=AB')).toEqual(['a']);
  expect(await lab.names('$order=-code')).toEqual(['b', 'a']);
  expect(await lab.names('$search=00042')).toEqual(['b']);
  expect(await lab.refused(lab.create({ name: 'c', code: 'PX-00042-7' }))).toEqual(['parcel_code /code']);
  await expect(lab.create({ name: 'c', code: 'PX-00042-6' })).rejects.toMatchObject({ code: 'unique' });
});

test('comes from a file', async () => {
  expect(await lab.bring('name,code\nfile,zz-00001-5\nbad,zz-00001-4\n')).toMatchObject({ created: 1, failed: 1 });
  expect(await lab.list('name=file&$select=code')).toEqual([{ code: 'ZZ-00001-5' }]);
});

test('stands in the screens and in the schema of a record', () => {
  const entity = lab.lab.entity('thing');
  const field = buildUiModel(lab.chief, []).entities['lab.thing']?.fields.find(({ key }) => key === 'code');
  expect(field).toMatchObject({ type: 'parcel_code', widget: 'text', valueType: 'text', sortable: true });
  expect(bodySchema(entity, 'create')).toMatchObject({ properties: { code: { anyOf: [{ maxLength: 20 }, {}] } } });
});

test('is added once, whole, and in time', () => {
  expect(() => registerFieldTypes([parcelCode], 'another')).toThrow('too late');
  expect(Object.isFrozen(fieldTypes.get('parcel_code'))).toBe(true);
});

test('is what the guide shows', () => {
  const guide = readFileSync(new URL('../../../docs/adding-a-field-type.md', import.meta.url), 'utf8');
  const file = readFileSync(new URL('../../../tests/support/parcel-code.ts', import.meta.url), 'utf8');
  expect(guide).toContain(file.slice(file.indexOf('const WRITTEN')).trim());
});
