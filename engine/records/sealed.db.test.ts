/** Encrypted fields from end to end: the database never sees a value, and only who may read the field does. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FieldLab, makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import type { Scope } from './scope.ts';

const database = await testDatabase();
let lab: FieldLab;
let clerk: Scope;
const SECRET = 'DE00 1234 "5678" Ü';

beforeAll(async () => {
  lab = await makeFieldLab(
    database,
    [
      { key: 'iban', type: 'encrypted' },
      { key: 'card', type: 'encrypted', mask: true },
      { key: 'note', type: 'text' },
      { key: 'extra', type: 'json' },
    ],
    [
      { kind: 'role', key: 'clerk', label: 'Clerk', inherits: ['member'] },
      {
        kind: 'permission',
        role: 'clerk',
        entity: 'lab.thing',
        actions: ['read', 'update'],
        fields: { read: { except: ['iban'] } },
      },
    ],
  );
  clerk = await lab.lab.person('clerk');
});
afterAll(() => lab.close());

const stored = async (id: string) =>
  (await lab.lab.look(`select * from ${lab.lab.tenant.names.schema}.lab_things where id = $1`, [id]))[0];

describe('an encrypted value', () => {
  test('is sealed in the database and open to who may read it', async () => {
    const made = await lab.create({ name: 'a', iban: SECRET, card: '4111111111111111' });
    expect(made).toMatchObject({ iban: SECRET, card: '••••1111' });
    expect(await lab.one(made.id)).toMatchObject({ iban: SECRET });
    expect((await lab.list('name=a&$select=iban,card'))[0]).toEqual({ iban: SECRET, card: '••••1111' });
    expect(await lab.one(made.id, clerk)).not.toHaveProperty('iban');
    const row = JSON.stringify(await stored(made.id));
    expect(row).toMatch(/"iban":"v1\.[0-9a-f]{8}\./);
    expect(row).not.toContain('1234');
    expect(row).not.toContain('4111');
  });

  test('tells the history only that it changed', async () => {
    const { id } = await lab.create({ name: 'b', iban: 'first', card: '12345678' });
    await lab.update(id, { iban: 'second' });
    await lab.update(id, { iban: null });
    const entries = await lab.history(id);
    expect(entries.map(({ changes }) => changes)).toEqual([
      [{ field: 'iban', label: 'Iban', old: '••••', new: null }],
      [{ field: 'iban', label: 'Iban', old: '••••', new: '•••••' }],
    ]);
  });

  test('is asked for its presence and nothing else', async () => {
    await lab.create({ name: 'with', iban: 'x' });
    await lab.create({ name: 'without' });
    expect(await lab.names('name[in]=with,without&iban[null]=true')).toEqual(['without']);
    for (const query of ['iban=x', 'iban[contains]=x', '$order=iban', '$group=iban'])
      await expect(lab.names(query)).rejects.toThrow(/./);
    await expect(lab.names('iban[null]=false', clerk)).rejects.toThrow('is not a field');
  });

  test('is of no use in another record, nor where somebody writes its token', async () => {
    const one = await lab.create({ name: 'one', iban: SECRET });
    const two = await lab.create({ name: 'two', iban: 'other' });
    const sealed = String((await stored(one.id))?.['iban']);
    const schema = lab.lab.tenant.names.schema;
    await lab.lab.look(`update ${schema}.lab_things set iban = $1 where id = $2`, [sealed, two.id]);
    expect(await lab.one(two.id)).toMatchObject({ iban: null });
    // The clerk has seen a backup: what was sealed there does not open in a field the clerk may write.
    const { id: field } = lab.lab.entity('thing').fields.get('iban') ?? { id: '' };
    for (const token of [`\u0001${field}:${one.id}:${sealed}`, `\\u0001${field}:${one.id}:${sealed}`]) {
      for (const body of [{ note: token }, { extra: token }, { extra: { [token]: 1 } }]) {
        const written = await lab.update(two.id, body, clerk).catch(() => ({}));
        expect(JSON.stringify(written)).not.toContain('1234');
      }
    }
    expect(JSON.stringify(await lab.one(two.id, clerk))).not.toContain('1234');
  });

  test('cannot be written in plain by whoever goes round the engine', async () => {
    const { id } = await lab.create({ name: 'plain' });
    const schema = lab.lab.tenant.names.schema;
    await expect(lab.lab.look(`update ${schema}.lab_things set iban = 'x' where id = $1`, [id])).rejects.toThrow(
      'check',
    );
  });

  test('answers a repeated request as the first time, and is kept sealed for it', async () => {
    const idempotency = { key: randomUUID(), fingerprint: 'x' };
    const entity = lab.lab.entity('thing');
    const body = { name: 'twice', iban: SECRET };
    const first = await lab.writer.create(lab.chief, entity, body, { idempotency });
    const again = await lab.writer.create(lab.chief, entity, body, { idempotency });
    expect(again).toEqual({ ...first, replayed: true });
    expect(first.body).toContain('1234');
    const [kept] = await lab.lab.look('select body from armature.idempotency where key = $1', [idempotency.key]);
    expect(JSON.stringify(kept)).not.toContain('1234');
  });

  test('comes from a file, and is not taken back masked', async () => {
    expect(await lab.bring('name,iban,card\nfile,secret from file,1234567890\n')).toMatchObject({ created: 1 });
    const [row] = await lab.list('name=file&$select=id,iban,card');
    expect(row).toMatchObject({ iban: 'secret from file', card: '••••7890' });
    expect(await lab.refused(lab.update(String(row?.['id']), { card: '••••7890' }))).toEqual(['masked /card']);
  });
});
