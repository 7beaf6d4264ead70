import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { fixedClock, systemIds } from './clock.ts';
import { Database } from './db/database.ts';
import { DiskStore } from './files/disk-store.ts';
import { Files } from './files/files.ts';
import { keepHouse } from './housekeeping.ts';
import { gateSession } from './identity/service-principals.ts';
import { Reader } from './records/read/reader.ts';

const database = await testDatabase();
const clock = fixedClock(Date.UTC(2026, 0, 5, 12));
const db = new Database({ address: database.address, app: database.app, owner: database.owner });
const folder = await mkdtemp(join(tmpdir(), 'armature-house-'));
const files = new Files({
  database: db,
  ids: systemIds,
  clock,
  store: new DiskStore(folder),
  reader: new Reader({ database: db, secret: database.secret, clock }),
  limit: 1024,
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true });
});

test('sessions go when they have expired, kept answers after a day', async () => {
  const { superuser } = database;
  const tenant = randomUUID();
  const user = randomUUID();
  await superuser.query(
    `insert into armature.tenant (id, key, name, country, currency, time_zone, locale, business_hours)
     values ($1, 'acme', 'Acme', 'DE', 'EUR', 'UTC', 'en', '{}')`,
    [tenant],
  );
  await superuser.query(`insert into armature.login (tenant_id, user_id, email) values ($1, $2, 'a@acme.example')`, [
    tenant,
    user,
  ]);
  const hours = (count: number) => new Date(clock.now() + count * 3_600_000);
  for (const [name, at] of [
    ['gone', hours(-1)],
    ['open', hours(1)],
  ] as const) {
    await superuser.query(
      `insert into armature.session (token_hash, tenant_id, user_id, kind, label, expires_at) values (sha256($1::text::bytea), $2, $3, 'bearer', $1::text, $4)`,
      [name, tenant, user, at],
    );
  }
  for (const [key, at] of [
    ['old', hours(-25)],
    ['fresh', hours(-23)],
  ] as const) {
    await superuser.query(
      `insert into armature.idempotency (tenant_id, user_id, key, fingerprint, status, headers, body, created_at) values ($1, $2, $3, '', 201, '', '', $4)`,
      [tenant, user, key, at],
    );
  }
  await keepHouse({ database: db, clock, files });
  expect((await superuser.query('select label from armature.session')).rows).toEqual([{ label: 'open' }]);
  expect((await superuser.query('select key from armature.idempotency')).rows).toEqual([{ key: 'fresh' }]);
});

describe('events', () => {
  const { superuser } = database;
  const days = (count: number) => new Date(clock.now() + count * 86_400_000);
  const add = async (version: number, xid: number, at: Date) =>
    superuser.query(
      `insert into armature.outbox (xid, tenant_id, entity_id, record_id, version, operation, at)
       values ($1::text::xid8, gen_random_uuid(), 'e', gen_random_uuid(), $2, 'update', $3)`,
      [xid, version, at],
    );
  const left = async () =>
    (await superuser.query('select version from armature.outbox order by version')).rows.map(({ version }) => version);
  const stand = async (consumer: string, version: number) =>
    superuser.query(
      `insert into armature.outbox_position (consumer, xid, id) select $1, xid, id from armature.outbox where version = $2
       on conflict (consumer) do update set xid = excluded.xid, id = excluded.id`,
      [consumer, version],
    );

  test('go after a week, when everybody has read them', async () => {
    // The second began before the third and got its number later.
    await add(1, 10, days(-9));
    await add(3, 30, days(-8));
    await add(2, 20, days(-8));
    await add(4, 40, days(-6));
    await stand('quick', 4);
    await stand('slow', 2);
    await keepHouse({ database: db, clock, files });
    expect(await left()).toEqual([3, 4]);
    await stand('slow', 4);
    await keepHouse({ database: db, clock, files });
    expect(await left()).toEqual([4]);
  });

  test('that somebody has yet to read are out of reach, old or not', async () => {
    await add(5, 50, days(-30));
    const [result] = await db.batch(gateSession('housekeeping'), [{ text: 'delete from armature.outbox', values: [] }]);
    expect(result?.count).toBe(1);
    expect(await left()).toEqual([5]);
  });
});
