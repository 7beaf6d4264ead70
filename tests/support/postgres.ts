/** A database of one's own for a test file: cloned from the run's prepared one, dropped at the end. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { derive, LOGIN_ROLES } from '#engine/db/bootstrap.ts';
import type { Address, Credentials } from '#engine/db/connection.ts';
import { quote } from '#engine/db/identifiers.ts';
import { SECRET, TEMPLATE } from './cluster.ts';

export interface TestDatabase {
  readonly address: Address;
  readonly admin: Credentials;
  readonly owner: Credentials;
  readonly app: Credentials;
  readonly jobs: Credentials;
  /** Tenant roles live in the whole cluster: each test database has its own prefix. */
  readonly rolePrefix: string;
  readonly secret: string;
  /** A client of the superuser, to look at what is really there. */
  readonly superuser: pg.Client;
}

/** Call it at the top of a test file; everything is released after the file's last test. */
export function testDatabase(): Promise<TestDatabase> {
  return openClone(TEMPLATE, null);
}

/**
 * A copy of a test's database with all that is in it. Both have the same roles, as those belong to the cluster. Nobody
 * but its superuser client may be connected to the original, and that one is let go.
 */
export async function cloneDatabase(original: TestDatabase): Promise<TestDatabase> {
  await original.superuser.end();
  return openClone(original.address.database, original.rolePrefix);
}

/** @param prefix of the roles that are there already; without, of its own, dropped with the database */
async function openClone(template: string, prefix: string | null): Promise<TestDatabase> {
  const port = inject('postgresPort');
  const name = `x${randomBytes(4).toString('hex')}`;
  const admin = { user: 'postgres', password: 'superuser' };
  const server = { host: '127.0.0.1', port };
  const maintenance = new pg.Client({ ...server, ...admin, database: 'postgres' });
  await maintenance.connect();
  // Whoever has just closed a connection is not waited for by anybody: Postgres itself does so for five seconds.
  const connected = 'select from pg_stat_activity where datname = $1';
  while (prefix !== null && (await maintenance.query(connected, [template])).rows.length > 0) await delay(20);
  await maintenance.query(`select pg_advisory_lock(71)`);
  await maintenance.query(
    `create database ${quote(name)} template ${quote(template)} owner ${quote(LOGIN_ROLES.owner)}`,
  );
  await maintenance.query(`select pg_advisory_unlock(71)`);
  const superuser = new pg.Client({ ...server, ...admin, database: name });
  superuser.on('error', () => {});
  await superuser.connect();
  if (prefix === null) await superuser.query('update armature.installation set role_prefix = $1', [name]);
  const credentials = (user: string): Credentials => ({ user, password: derive(SECRET, `postgres:${user}`) });

  afterAll(async () => {
    await superuser.end();
    await maintenance.query(`drop database ${quote(name)} with (force)`);
    const { rows } = await maintenance.query<{ rolname: string }>(
      'select rolname from pg_roles where rolname like $1',
      [`${name}\\_%`],
    );
    // Of a copy there are none: its roles are the original's, which goes later.
    if (rows.length > 0) await maintenance.query(`drop role ${rows.map((row) => quote(row.rolname)).join(', ')}`);
    await maintenance.end();
  });
  return {
    address: { ...server, database: name },
    admin,
    owner: credentials(LOGIN_ROLES.owner),
    app: credentials(LOGIN_ROLES.app),
    jobs: credentials(LOGIN_ROLES.jobs),
    rolePrefix: prefix ?? name,
    secret: SECRET,
    superuser,
  };
}
