/** Models are as new as the last publish anybody in this process knows of; role sets are there when they are asked for. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemIds } from '#engine/clock.ts';
import { Database } from '#engine/db/database.ts';
import { Problem } from '#engine/problem.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { schemaLab } from '#tests/support/schema-lab.ts';
import { ModelStore } from './model-store.ts';
import { Publisher } from './publish.ts';
import { ensureRoleSet } from './role-sets.ts';
import { createTenant, getTenant, listTenants } from './tenants.ts';

// More than all the waits of a test together.
vi.setConfig({ testTimeout: 120_000 });
const postgres = await testDatabase();
const lab = schemaLab(postgres);
const { database } = lab;
/** Another process. */
const elsewhere = new Publisher({ database });
const listening = new ModelStore({ database });
const deaf = new ModelStore({ database });

const entity = (key: string) => ({
  kind: 'entity',
  key,
  plural: `${key}s`,
  label: key,
  title: '{name}',
  fields: [{ key: 'name', type: 'text', required: true }],
});
const input = (base: number, ...keys: readonly string[]) => ({
  base,
  author: 'a',
  message: 'm',
  documents: keys.map(entity),
});
const codeOf = async (work: Promise<unknown>) =>
  work.then(
    () => 'fine',
    (error: unknown) => (error instanceof Problem ? error.code : error),
  );

beforeAll(async () => {
  await lab.organisation('acme');
  await listening.start();
});
afterAll(() => listening.close());

describe('a model', () => {
  test('is built once and given to everybody', async () => {
    const [a, b] = await Promise.all([listening.get('acme'), listening.get('acme')]);
    expect(a).toBe(b);
    expect(a.model.release).toBe(1);
    expect(await listening.get('acme')).toBe(a);
  });

  test('is never older than what this process has published', async () => {
    let release = (await lab.models.get('acme')).model.release;
    for (const key of ['pen', 'cup', 'hat']) {
      await lab.publisher.publish('acme', input(release, key));
      release += 1;
      const { model } = await lab.models.get('acme');
      expect([model.release, model.entities.has(`custom.${key}`)]).toEqual([release, true]);
    }
  });

  test('follows other processes: told by them, or by asking when nobody can tell', async () => {
    const { release } = await getTenant(database, 'acme');
    await deaf.get('acme');
    await elsewhere.publish('acme', input(release, 'bag'));
    expect((await deaf.get('acme')).model.release).toBe(release + 1);
    await vi.waitFor(async () => expect((await listening.get('acme')).model.release).toBe(release + 1), {
      timeout: 20_000,
    });
  });

  test('is fresh again after the listening connection was lost', async () => {
    const { release } = await getTenant(database, 'acme');
    await postgres.superuser.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'armature releases' and datname = current_database()`,
    );
    await elsewhere.publish('acme', input(release, 'box'));
    await vi.waitFor(async () => expect((await listening.get('acme')).model.release).toBe(release + 1), {
      timeout: 20_000,
    });
    await vi.waitFor(
      async () => {
        const { rowCount } = await postgres.superuser.query(
          `select from pg_stat_activity where application_name = 'armature releases' and datname = current_database()`,
        );
        expect(rowCount).toBe(1);
      },
      { timeout: 20_000 },
    );
    await elsewhere.publish('acme', input(release + 1, 'jar'));
    await vi.waitFor(async () => expect((await listening.get('acme')).model.entities.has('custom.jar')).toBe(true), {
      timeout: 20_000,
    });
  });

  test('is at hand without asking exactly while nothing newer is known and somebody can tell', async () => {
    expect(deaf.known('acme')).toBeNull();
    // The connection that was lost above is there again.
    const heard = async () => (await listening.get('acme')) === listening.known('acme');
    await expect.poll(heard).toBe(true);
    const { tenant, model } = await listening.get('acme');
    expect(listening.known('acme')).toBe(await listening.get('acme'));
    listening.switched('acme');
    expect(listening.known('acme')).toBeNull();
    await listening.get('acme');
    await vi.waitFor(() => expect(listening.known('acme')?.tenant).toBe(tenant), { timeout: 20_000 });
    await elsewhere.publish('acme', input(model.release, 'mug'));
    listening.published('acme', model.release + 1);
    expect(listening.known('acme')).toBeNull();
    await listening.get('acme');
    expect(listening.known('acme')?.model.release).toBe(model.release + 1);
  });

  test('of nobody is not found; of an organisation without a release it is empty', async () => {
    expect(await codeOf(listening.get('nobody'))).toBe('not_found');
    const tenant = await createTenant(
      { database, ids: systemIds },
      { key: 'bare', name: 'Bare', country: 'DE', currency: 'EUR', timeZone: 'UTC', locale: 'en' },
    );
    expect((await listening.get('bare')).model.entities.size).toBe(0);
    const release = await lab.publisher.publish('bare', {
      base: 0,
      author: 'a',
      message: 'm',
      packs: [],
      documents: [],
    });
    expect(release.number).toBe(1);
    expect((await lab.models.get('bare')).tenant.id).toBe(tenant.id);
    expect((await listTenants(database)).map((found) => [found.tenant.key, found.release])).toContainEqual(['bare', 1]);
  });
});

describe('an organisation', () => {
  const wanted = { key: 'shop', name: 'Shop', country: 'DE', currency: 'EUR', timeZone: 'Europe/Berlin', locale: 'en' };
  test('is refused with pointers, and leaves nothing behind', async () => {
    const services = { database, ids: systemIds, publisher: lab.publisher };
    const refused = await createTenant(services, {
      ...wanted,
      key: 'Shop',
      currency: 'GOLD',
      timeZone: 'Mars',
      country: 'de',
      locale: '?',
      name: ' ',
      businessHours: { timeZone: 'UTC', days: [8], from: '9', to: '08:00' },
    }).catch((error: unknown) => error);
    expect(refused instanceof Problem && refused.errors.map(({ pointer }) => pointer)).toEqual([
      '/key',
      '/name',
      '/country',
      '/currency',
      '/timeZone',
      '/locale',
      '/businessHours/days',
      '/businessHours/from',
      '/businessHours/to',
    ]);
    expect(await codeOf(createTenant(services, { ...wanted, key: 'acme' }))).toBe('unique');
    expect(await codeOf(createTenant(services, { ...wanted, packs: ['nothing'] }))).toBe('invalid_document');
    expect(await codeOf(getTenant(database, 'shop'))).toBe('not_found');
    await createTenant(services, { ...wanted, packs: ['crm'] });
    expect((await getTenant(database, 'shop')).release).toBe(1);
  });

  test('has no key that makes its roles another’s', async () => {
    const services = { database, ids: systemIds, publisher: lab.publisher };
    for (const key of ['shop__system', 'a__b', 'a___b']) {
      expect(await codeOf(createTenant(services, { ...wanted, key }))).toBe('invalid');
    }
  });

  test('can be made while others are', async () => {
    const services = { database, ids: systemIds, publisher: lab.publisher };
    const keys = ['s1', 's2', 's3'];
    await Promise.all(keys.map((key) => createTenant(services, { ...wanted, key, packs: [] })));
    for (const key of keys) expect((await getTenant(database, key)).release).toBe(1);
  });
});

describe('a role set', () => {
  test('is the role itself for one, and one role for several in any order, made once by whoever comes first', async () => {
    const { tenant } = await getTenant(database, 'shop');
    expect(await ensureRoleSet(database, tenant, ['member'])).toBe(tenant.names.role('member'));
    const other = new Database({ address: postgres.address, app: postgres.app, owner: postgres.owner });
    const made = await Promise.all(
      [database, other, database, other].map((one, index) =>
        ensureRoleSet(one, tenant, index % 2 ? ['member', 'administrator'] : ['administrator', 'member']),
      ),
    );
    await other.close();
    expect(new Set(made)).toEqual(new Set([tenant.names.roleSet(['administrator', 'member'])]));
    const { rows } = await postgres.superuser.query('select roles from armature.database_role where name = $1', [
      made[0],
    ]);
    expect(rows).toEqual([{ roles: ['administrator', 'member'] }]);
  });

  test('has only roles that exist, and is refused when none does', async () => {
    const { tenant } = await getTenant(database, 'shop');
    expect(await ensureRoleSet(database, tenant, ['member', 'gone'])).toBe(tenant.names.role('member'));
    expect(await codeOf(ensureRoleSet(database, tenant, ['gone', 'lost']))).toBe('forbidden');
    expect(await codeOf(ensureRoleSet(database, tenant, []))).toBe('forbidden');
  });
});
