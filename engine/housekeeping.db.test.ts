import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { fixedClock } from './clock.ts';
import { Database } from './db/database.ts';
import { keepHouse } from './housekeeping.ts';

const database = await testDatabase();
const clock = fixedClock(Date.UTC(2026, 0, 5, 12));
const db = new Database({ address: database.address, app: database.app, owner: database.owner });
afterAll(() => db.close());

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
  await keepHouse({ database: db, clock });
  expect((await superuser.query('select label from armature.session')).rows).toEqual([{ label: 'open' }]);
  expect((await superuser.query('select key from armature.idempotency')).rows).toEqual([{ key: 'fresh' }]);
});
