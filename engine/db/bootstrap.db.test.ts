import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, test } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { bootstrap, derive, LOGIN_ROLES, revokeSettings } from './bootstrap.ts';
import { literal, quote } from './identifiers.ts';
import { StartupError } from './startup-error.ts';

const { address, admin, superuser, secret } = await testDatabase();
const { database, ...server } = address;

const start = (other: string) =>
  bootstrap({ server, admin, adminDatabase: database, database, secret: other }).then(
    () => null,
    (error: unknown) => error,
  );

test('another secret is refused before it changes a password', async () => {
  // Not the stored passwords: starts on other databases of this cluster write the same ones anew, with another salt.
  const opens = async (user: string) => {
    const client = new pg.Client({ ...address, user, password: derive(secret, `postgres:${user}`) });
    await client.connect();
    await client.end();
    return true;
  };
  const passwords = () => Promise.all(Object.values(LOGIN_ROLES).map(opens));
  const refused = await start('another secret, and long enough as well');
  expect(refused).toBeInstanceOf(StartupError);
  expect(String(refused)).toContain('made with another secret');
  expect(await passwords()).toEqual([true, true, true]);
  // The database of an older version has no fingerprint: its next start leaves one.
  await superuser.query('update armature.installation set fingerprint = null');
  expect(await start(secret)).toBeNull();
  expect((await superuser.query('select fingerprint from armature.installation')).rows).toEqual([
    { fingerprint: expect.stringMatching(/^[\w-]{43}$/) },
  ]);
  expect(await start('another secret, and long enough as well')).toBeInstanceOf(StartupError);
});

test('an administrator who is no superuser reads the fingerprint', async () => {
  const user = `a${randomBytes(4).toString('hex')}`;
  await superuser.query(`create role ${quote(user)} login createrole password ${literal(user)}`);
  try {
    const start = bootstrap({
      server,
      admin: { user, password: user },
      adminDatabase: database,
      database,
      secret: 'another secret, and long enough as well',
    });
    await expect(start).rejects.toThrow('made with another secret');
  } finally {
    await superuser.query(`drop role ${quote(user)}`);
  }
});

test('who cannot take set_config away is told what to run', async () => {
  const user = `a${randomBytes(4).toString('hex')}`;
  await superuser.query(`create role ${quote(user)}`);
  const warnings: string[] = [];
  const asUser = async () => {
    await superuser.query(`set role ${quote(user)}`);
    await revokeSettings(superuser, (text) => warnings.push(text));
    await superuser.query('reset role');
  };
  try {
    await asUser();
    expect(warnings).toEqual([]);
    await superuser.query('grant execute on function pg_catalog.set_config(text, text, boolean) to public');
    await asUser();
    expect(warnings).toEqual([expect.stringContaining('revoke execute on function pg_catalog.set_config')]);
    await revokeSettings(superuser);
    await asUser();
    expect(warnings).toHaveLength(1);
  } finally {
    await superuser.query(`drop role ${quote(user)}`);
  }
});
