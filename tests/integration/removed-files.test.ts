/** When organisations are removed their files go too, whatever comes between. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFileStore } from '#engine/files/open-store.ts';
import { removeFilesOfRemoved } from '#engine/files/removed-tenants.ts';
import { removeTenants } from '#engine/schema/remove-tenants.ts';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';

const clone = await testDatabase();
const app = await testApp(clone);
const { database, files } = app.app.services;
const kept = join(app.home, 'files');

/** An organisation with a file that a record names, and one that none names yet. @returns its id */
async function filled(tenant: string): Promise<string> {
  await makeTenant(app, tenant);
  const admin = await app.as(tenant, `admin@${tenant}.example`);
  const document = {
    kind: 'entity',
    key: 'paper',
    plural: 'papers',
    label: 'Paper',
    fields: [{ key: 'scan', type: 'file', label: 'Scan' }],
  };
  const base = Number((await admin.get('/api/metadata/documents')).json['release'] ?? 1);
  await admin.post('/api/metadata/publish', { base, message: 'Papers', documents: [document] });
  const upload = async () => {
    const form = new FormData();
    form.append('file', new Blob([`of ${tenant}`]), 'paper.txt');
    const { json, text } = await admin.send('POST', '/api/custom/v1/papers/$files', form);
    if (!json.data) throw new Error(text);
    return json.data.id;
  };
  const made = await admin.post('/api/custom/v1/papers', { scan: await upload() });
  expect(made.status, made.text).toBe(201);
  await upload();
  const { rows } = await clone.superuser.query<{ id: string }>('select id from armature.tenant where key = $1', [
    tenant,
  ]);
  return rows[0]?.id ?? '';
}

const noted = async () =>
  (await clone.superuser.query<{ id: string }>('select id from armature.removed_tenant order by id')).rows.map(
    ({ id }) => id,
  );

test('files of removed organisations go, after a crash and a store that was away as well', async () => {
  const tenants = [await filled('acme'), await filled('other')].sort();
  const left = () =>
    readdirSync(kept)
      .filter((name) => tenants.includes(name))
      .sort();
  expect(left()).toEqual(tenants);
  // Nobody is gone: nothing goes.
  expect(await files.purgeRemoved()).toBe(0);
  expect(left()).toEqual(tenants);

  // Here the command dies: the organisations are gone, and their files not yet.
  expect((await removeTenants(database)).toSorted()).toEqual(['acme', 'other']);
  expect([left(), await noted()]).toEqual([tenants, tenants]);

  // Called again, it does not reach the store: it says so, and forgets nothing.
  const away = await openFileStore('s3://papers?endpoint=http%3A%2F%2F127.0.0.1%3A1', app.home);
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
  await expect(removeFilesOfRemoved(database, away)).rejects.toThrow(/./);
  expect([left(), await noted()]).toEqual([tenants, tenants]);

  // A server that is started instead goes on with it.
  expect(await files.purgeRemoved()).toBe(2);
  expect([left(), await noted()]).toEqual([[], []]);
  expect(existsSync(kept)).toBe(true);
  expect(await files.purgeRemoved()).toBe(0);
});
