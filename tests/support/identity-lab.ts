/** Two real organisations whose clock stands still until it is told to move, and their people, for tests of who may enter. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type Clock, fixedClock } from '#engine/clock.ts';
import { Database } from '#engine/db/database.ts';
import type { Identity } from '#engine/identity/identity.ts';
import { PasswordIdentity } from '#engine/identity/password-identity.ts';
import type { Principal } from '#engine/identity/principal.ts';
import { Problem } from '#engine/problem.ts';
import { ensureRoleSet } from '#engine/schema/role-sets.ts';
import type { Services } from '#engine/services.ts';
import { testApp } from './app.ts';
import type { Client } from './http.ts';
import { type TestDatabase, testDatabase } from './postgres.ts';
import { hire, makeTenant, type NewPerson } from './tenant.ts';

export const DAY = 86_400_000;
export const PASSWORD = 'correct horse battery';

const organisations = ['acme', 'globex'] as const;
type Organisation = (typeof organisations)[number];

export interface User {
  readonly id: string;
  readonly email: string;
}

export interface IdentityLab {
  readonly database: TestDatabase;
  readonly services: Services;
  readonly identity: Identity;
  readonly clock: Clock & { advance(ms: number): void };
  /** Acts over HTTP as the administrator of `acme`. */
  readonly administrator: Client;
  /** The principal of an organisation's administrator. */
  readonly chief: (organisation?: Organisation) => Promise<Principal>;
  /** A new sales person without a password. */
  readonly join: (values?: Partial<NewPerson>, organisation?: Organisation) => Promise<User>;
  /** A new sales person with a password. */
  readonly withPassword: (values?: Partial<NewPerson>, organisation?: Organisation, password?: string) => Promise<User>;
  /** Changes a user of `acme` over HTTP. */
  readonly change: (user: User, values: object) => Promise<void>;
  /** Deletes a user of `acme` in the database: the API keeps users for good, a restored backup may lack them. */
  readonly erase: (user: User) => Promise<void>;
  /** Another process of the installation, which hears nothing of what this one changes. */
  readonly anotherProcess: () => { readonly identity: Identity; readonly close: () => Promise<void> };
}

/** Call it at the top of a test file; everything is released after the file's last test. */
export async function identityLab(): Promise<IdentityLab> {
  const database = await testDatabase();
  const clock = fixedClock(Date.UTC(2026, 0, 5, 12));
  const testing = await testApp(database, { clock });
  const { services } = testing.app;
  const { identity } = services;
  for (const organisation of organisations) await makeTenant(testing, organisation);
  const email = (organisation: Organisation) => `admin@${organisation}.example`;
  const administrators = {
    acme: await testing.as('acme', email('acme')),
    globex: await testing.as('globex', email('globex')),
  };
  const chief: IdentityLab['chief'] = async (organisation = 'acme') =>
    (await identity.issueToken({ tenant: organisation, user: { email: email(organisation) } })).principal;
  const join: IdentityLab['join'] = async (values = {}, organisation = 'acme') => {
    const unique = `${randomUUID().slice(0, 8)}@acme.example`;
    const person = { name: 'Ida Friis', email: unique, roles: ['sales_rep'], ...values };
    const { id } = await hire(administrators[organisation], person);
    return { id, email: person.email };
  };
  return {
    database,
    services,
    identity,
    clock,
    administrator: administrators.acme,
    chief,
    join,
    withPassword: async (values, organisation, password = PASSWORD) => {
      const user = await join(values, organisation);
      await identity.setPassword(await chief(organisation), { userId: user.id, password });
      return user;
    },
    change: async ({ id }, values) => {
      const { status, text } = await administrators.acme.patch(`/api/core/v1/users/${id}`, values);
      expect(status, text).toBe(200);
    },
    erase: async ({ id }) => {
      const { rowCount } = await database.superuser.query('delete from t_acme.core_users where id = $1', [id]);
      expect(rowCount).toBe(1);
      await identity.invalidate('acme', id);
    },
    anotherProcess: () => {
      const { address, app, owner } = database;
      const db = new Database({ address, app, owner, clock, connections: 2 });
      const roleSet = ensureRoleSet.bind(null, db);
      return {
        identity: new PasswordIdentity({ ...services, database: db, roleSet }),
        close: () => db.close(),
      };
    },
  };
}

/** The problem that something ends with; it fails when there is none. */
export async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw new Error(`expected a problem, got ${String(error)}`);
  return error;
}
