import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { fixedClock, systemIds } from '../clock.ts';
import { Database } from '../db/database.ts';
import { keepHouse } from '../housekeeping.ts';
import type { TenantModel } from '../model/tenant.ts';
import { notFound, Problem } from '../problem.ts';
import { PasswordIdentity } from './password-identity.ts';
import { administratorPrincipal } from './service-principals.ts';
import { makeTenant, modelOf } from './testing/tenant.ts';

const DAY = 86_400_000;
const PASSWORD = 'correct horse battery';

const database = await testDatabase();
const clock = fixedClock(Date.UTC(2026, 0, 5, 12));
const db = new Database({ address: database.address, app: database.app, owner: database.owner, connections: 4 });

const scopes = new Map<string, TenantModel>();
const identity = new PasswordIdentity({
  database: db,
  models: {
    get: async (key) => {
      const scope = scopes.get(key);
      if (!scope) throw notFound();
      return scope;
    },
  },
  roleSet: async (_tenant, roles) => `set of ${roles.join(' and ')}`,
  clock,
  ids: systemIds,
});

interface User {
  id: string;
  email: string;
}

async function insertUser(tenant: string, values: Record<string, unknown> = {}): Promise<User> {
  const id = randomUUID();
  const row = {
    id,
    name: 'Ida Friis',
    email: `${id.slice(0, 8)}@acme.example`,
    active: true,
    roles: ['sales_rep'],
    ...values,
  };
  const names = Object.keys(row);
  await database.superuser.query(
    `insert into t_${tenant}.core_users (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
    Object.values(row),
  );
  return { id, email: row.email };
}

const set = (user: User, column: string, value: unknown) =>
  database.superuser.query(`update t_acme.core_users set ${column} = $2 where id = $1`, [user.id, value]);

const scopeOf = (key: string): TenantModel => {
  const scope = scopes.get(key);
  if (!scope) throw new RangeError(key);
  return scope;
};
const system = (tenant = 'acme') => administratorPrincipal(scopeOf(tenant), 'provisioning');

async function withPassword(tenant = 'acme', values: Record<string, unknown> = {}, password = PASSWORD): Promise<User> {
  const user = await insertUser(tenant, values);
  await identity.setPassword(system(tenant), { userId: user.id, password });
  return user;
}

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw new Error(`expected a problem, got ${String(error)}`);
  return error;
}

/** Median milliseconds of a refusal. */
const measure = async (email: string, ip: string) => {
  const times: number[] = [];
  for (let n = 0; n < 7; n++) {
    const start = performance.now();
    await problemOf(identity.signIn({ email, password: 'wrong wrong wrong' }, { ip }));
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[3] ?? 0;
};

let address = 0;
let origin = { ip: '' };
beforeEach(() => {
  origin = { ip: `10.0.0.${address++}` };
});
beforeAll(async () => {
  for (const key of ['acme', 'globex']) {
    scopes.set(key, {
      tenant: await makeTenant(db, database.rolePrefix, key),
      model: modelOf(['administrator', 'member', 'sales_rep']),
    });
  }
});
afterAll(() => db.close());

const open = async (values: Record<string, unknown> = {}) => {
  const user = await withPassword('acme', values);
  return { user, token: (await identity.signIn({ email: user.email, password: PASSWORD }, origin)).token };
};

describe('signing in', () => {
  test('with the password opens a session of seven days', async () => {
    const user = await withPassword('acme', { department: 'sales', roles: ['sales_rep', 'abolished'] });
    const session = await identity.signIn({ email: ` ${user.email.toUpperCase()} `, password: PASSWORD }, origin);
    expect(session.token).toMatch(/^arm_[A-Za-z0-9_-]{43}$/);
    expect(session.expiresAt.getTime()).toBe(clock.now() + 7 * DAY);
    expect(session.principal).toMatchObject({
      tenant: 'acme',
      userId: user.id,
      name: 'Ida Friis',
      email: user.email,
      roles: ['member', 'sales_rep'],
      dbRole: 'set of member and sales_rep',
      attributes: { department: 'sales' },
      locale: 'de',
      timeZone: 'Europe/Berlin',
      team: null,
      teams: [],
      teamMembers: [user.id],
    });
    expect(await identity.authenticate(session.token)).toEqual(session.principal);
  });

  test('answers a wrong password, an unknown e-mail, an inactive and a password-less user alike', async () => {
    const user = await withPassword();
    const inactive = await withPassword();
    await set(inactive, 'active', false);
    const none = await insertUser('acme');
    const attempts = [
      { email: user.email, password: 'wrong wrong wrong' },
      { email: 'nobody@acme.example', password: PASSWORD },
      { email: inactive.email, password: PASSWORD },
      { email: none.email, password: PASSWORD },
      { email: user.email, password: PASSWORD, organisation: 'globex' },
      { email: user.email, password: PASSWORD, organisation: "';--" },
    ];
    for (const attempt of attempts) {
      const { code, message, errors } = await problemOf(identity.signIn(attempt, origin));
      expect({ code, message, errors }).toEqual({
        code: 'invalid_credentials',
        message: 'The e-mail or the password is wrong.',
        errors: [],
      });
    }
  });

  test('takes as long for an unknown e-mail as for a wrong password', async () => {
    const user = await withPassword();
    const known = await measure(user.email, 'a');
    const unknown = await measure('nobody-at-all@acme.example', 'b');
    expect(unknown).toBeGreaterThan(known / 3);
    expect(unknown).toBeLessThan(known * 3);
  });

  test('is refused after ten failures within a quarter of an hour, from that address and for that e-mail only', async () => {
    const user = await withPassword();
    const wrong = { email: user.email, password: 'wrong wrong wrong' };
    // Sent at once: none may slip through before the others are counted.
    const answers = await Promise.all(Array.from({ length: 12 }, () => problemOf(identity.signIn(wrong, origin))));
    expect(answers.filter(({ code }) => code === 'invalid_credentials')).toHaveLength(10);
    const refused = await problemOf(identity.signIn({ email: user.email, password: PASSWORD }, origin));
    expect([refused.code, refused.status]).toEqual(['too_many_requests', 429]);
    expect(refused.errors[0]?.params).toEqual({ retryAfter: 900 });
    await identity.signIn({ email: user.email, password: PASSWORD }, { ip: 'elsewhere' });
    const other = await withPassword();
    await identity.signIn({ email: other.email, password: PASSWORD }, origin);
    clock.advance(15 * 60_000);
    await identity.signIn({ email: user.email, password: PASSWORD }, origin);
  });

  const failures = async (attempts: readonly { email: string; ip: string }[]) => {
    const answers = await Promise.all(
      attempts.map(({ email, ip }) => problemOf(identity.signIn({ email, password: 'wrong wrong wrong' }, { ip }))),
    );
    return answers.map(({ code }) => code);
  };

  test('is refused when one network tries one password on everybody, whatever it signs in to meanwhile', async () => {
    const mine = await withPassword();
    const ip = (at: number) => `2001:db8:7:7::${at.toString(16)}`;
    const attempts = Array.from({ length: 100 }, (_, at) => ({ email: `somebody${at}@acme.example`, ip: ip(at) }));
    expect(new Set(await failures(attempts.slice(0, 99)))).toEqual(new Set(['invalid_credentials']));
    await identity.signIn({ email: mine.email, password: PASSWORD }, { ip: ip(1) });
    expect(await failures(attempts.slice(99))).toEqual(['invalid_credentials']);
    expect(await failures([{ email: 'another@acme.example', ip: ip(500) }])).toEqual(['too_many_requests']);
    expect(await failures([{ email: 'another@acme.example', ip: '2001:db8:7:8::1' }])).toEqual(['invalid_credentials']);
    clock.advance(15 * 60_000);
  });

  test('is refused when many machines guess at one account', async () => {
    const user = await withPassword();
    const from = (at: number) => ({ email: user.email, ip: `198.51.100.${at}` });
    expect(new Set(await failures(Array.from({ length: 100 }, (_, at) => from(at))))).toEqual(
      new Set(['invalid_credentials']),
    );
    expect(await failures([from(200)])).toEqual(['too_many_requests']);
    clock.advance(15 * 60_000);
  });

  test('takes every spelling of an address', async () => {
    const email = 'ren\u00e9@acme.example';
    await withPassword('acme', { email });
    const { principal } = await identity.signIn({ email: 'Rene\u0301@acme.example', password: PASSWORD }, origin);
    expect(principal.email).toBe(email);
  });

  test('asks which organisation only where the password is right in several', async () => {
    const email = 'both@acme.example';
    await withPassword('acme', { email });
    await withPassword('globex', { email });
    const wrong = await problemOf(identity.signIn({ email, password: 'wrong wrong wrong' }, origin));
    expect(wrong.code).toBe('invalid_credentials');
    const several = await problemOf(identity.signIn({ email, password: PASSWORD }, origin));
    expect(several.errors).toMatchObject([
      {
        code: 'organisation_required',
        params: {
          organisations: [
            { key: 'acme', name: 'ACME' },
            { key: 'globex', name: 'GLOBEX' },
          ],
        },
      },
    ]);
    const { principal } = await identity.signIn({ email, password: PASSWORD, organisation: 'globex' }, origin);
    expect(principal.tenant).toBe('globex');
  });
});

describe('a session', () => {
  test('ends at its time, also while it is cached', async () => {
    const { token } = await open();
    clock.advance(7 * DAY - 1000);
    expect(await identity.authenticate(token)).not.toBeNull();
    clock.advance(1000);
    expect(await identity.authenticate(token)).toBeNull();
    await keepHouse({ database: db, clock });
    const { rows } = await database.superuser.query(
      'select count(*)::int as n from armature.session where expires_at <= $1',
      [new Date(clock.now())],
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  test('ends with signing out, and a token nobody issued is nobody', async () => {
    const { token } = await open();
    expect(await identity.authenticate(token)).not.toBeNull();
    await identity.signOut(token);
    expect(await identity.authenticate(token)).toBeNull();
    await identity.signOut('arm_nonsense');
    expect(await identity.authenticate('')).toBeNull();
    expect(await identity.authenticate(`arm_${'a'.repeat(43)}`)).toBeNull();
  });

  test('is stored as a hash only', async () => {
    const { token } = await open();
    const { rows } = await database.superuser.query('select s::text as text from armature.session s');
    expect(JSON.stringify(rows)).not.toContain(token.slice(4));
  });

  test('sees new roles and teams at the next request once the change is announced', async () => {
    const { user, token } = await open();
    expect((await identity.authenticate(token))?.roles).toEqual(['member', 'sales_rep']);
    await set(user, 'roles', ['administrator']);
    await identity.recordChanged('acme', 'core.user', user.id);
    expect((await identity.authenticate(token))?.roles).toEqual(['administrator', 'member']);
  });

  test('sees what another process changed after half a minute', async () => {
    const { user, token } = await open();
    await identity.authenticate(token);
    await set(user, 'roles', []);
    clock.advance(30_000);
    expect((await identity.authenticate(token))?.roles).toEqual(['member']);
  });

  test('is nobody’s once its user is inactive or gone', async () => {
    const { user, token } = await open();
    const other = await open();
    await set(user, 'active', false);
    await database.superuser.query('delete from t_acme.core_users where id = $1', [other.user.id]);
    identity.invalidate('acme');
    expect(await identity.authenticate(token)).toBeNull();
    expect(await identity.authenticate(other.token)).toBeNull();
  });

  test('carries the team, all teams under it, and their people', async () => {
    const [head, region, circle] = [randomUUID(), randomUUID(), randomUUID()];
    await database.superuser.query(
      `insert into t_acme.core_teams values ($1, 'Head', $3), ($2, 'Region', $1), ($3, 'Circle', $2)`,
      [head, region, circle],
    );
    const colleague = await insertUser('acme', { team: circle });
    const { user, token } = await open({ team: head });
    const principal = await identity.authenticate(token);
    expect(principal?.team).toBe(head);
    expect([...(principal?.teams ?? [])].sort()).toEqual([head, region, circle].sort());
    expect([...(principal?.teamMembers ?? [])].sort()).toEqual([user.id, colleague.id].sort());
  });

  test('asks the database nothing while its principal is known', async () => {
    const { token } = await open();
    const first = await identity.authenticate(token);
    await database.superuser.query('alter table t_acme.core_users rename to away');
    expect(await identity.authenticate(token)).toBe(first);
    await database.superuser.query('alter table t_acme.away rename to core_users');
  });
});

describe('a password', () => {
  test.each([
    ['short', 'too_short'],
    ['EVA@acme.example', 'guessable'],
    ['x'.repeat(300), 'too_long'],
  ])('%s is refused', async (password, code) => {
    const user = await insertUser('acme', { email: `eva@acme.example` });
    const problem = await problemOf(identity.setPassword(system(), { userId: user.id, password }));
    expect(problem.errors).toMatchObject([{ code, pointer: '/password' }]);
    await database.superuser.query('delete from t_acme.core_users where id = $1', [user.id]);
  });

  test('is changed by its owner with the old one, which ends the other pages and keeps programs', async () => {
    const user = await withPassword();
    const here = await identity.signIn({ email: user.email, password: PASSWORD }, origin);
    const there = await identity.signIn({ email: user.email, password: PASSWORD }, origin);
    const program = await identity.issueToken({ tenant: 'acme', user: { email: user.email } });
    const change = { userId: user.id, password: 'another good one', keepToken: here.token };
    for (const oldPassword of [undefined, 'wrong wrong wrong']) {
      const problem = await problemOf(identity.setPassword(here.principal, { ...change, oldPassword }));
      expect(problem.errors[0]).toMatchObject({ code: 'wrong_password', pointer: '/old_password' });
    }
    await identity.setPassword(here.principal, { ...change, oldPassword: PASSWORD });
    expect(await identity.authenticate(here.token)).not.toBeNull();
    expect(await identity.authenticate(there.token)).toBeNull();
    expect(await identity.authenticate(program.token)).not.toBeNull();
    await identity.signIn({ email: user.email, password: 'another good one' }, origin);
  });

  test('is set for others by administrators alone', async () => {
    const user = await withPassword();
    const rep = await withPassword();
    const administrator = await withPassword('acme', { roles: ['administrator'] });
    const as = async (who: User) => (await identity.signIn({ email: who.email, password: PASSWORD }, origin)).principal;
    const change = { userId: user.id, password: 'another good one' };
    expect((await problemOf(identity.setPassword(await as(rep), change))).code).toBe('forbidden');
    await identity.setPassword(await as(administrator), change);
    await identity.signIn({ email: user.email, password: 'another good one' }, origin);
    const missing = { userId: randomUUID(), password: 'another good one' };
    expect((await problemOf(identity.setPassword(await as(administrator), missing))).code).toBe('not_found');
  });

  test('goes with the user’s e-mail, also when two users swap theirs', async () => {
    const one = await withPassword();
    const two = await withPassword('acme', {}, 'the other one’s');
    await set(one, 'email', 'moving@acme.example');
    await set(two, 'email', one.email);
    await set(one, 'email', two.email);
    await identity.recordChanged('acme', 'core.user', one.id);
    await identity.recordChanged('acme', 'core.user', two.id);
    expect((await identity.signIn({ email: two.email, password: PASSWORD }, origin)).principal.userId).toBe(one.id);
    expect((await identity.signIn({ email: one.email, password: 'the other one’s' }, origin)).principal.userId).toBe(
      two.id,
    );
  });
});

describe('a token for a program', () => {
  test('lasts a year and needs no password', async () => {
    const user = await insertUser('acme');
    const { token, expiresAt } = await identity.issueToken({
      tenant: 'acme',
      user: { id: user.id },
      label: 'nightly export',
    });
    expect(expiresAt.getTime()).toBe(clock.now() + 365 * DAY);
    expect((await identity.authenticate(token))?.userId).toBe(user.id);
    expect((await problemOf(identity.signIn({ email: user.email, password: '' }, origin))).code).toBe(
      'invalid_credentials',
    );
  });

  test('is not issued to somebody inactive or unknown', async () => {
    const user = await insertUser('acme', { active: false });
    for (const email of [user.email, 'nobody@acme.example']) {
      expect((await problemOf(identity.issueToken({ tenant: 'acme', user: { email } }))).code).toBe('not_found');
    }
  });
});
