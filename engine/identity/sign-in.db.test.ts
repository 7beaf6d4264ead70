/** Signing in with a password. */
import { beforeEach, describe, expect, test } from 'vitest';
import { DAY, identityLab, PASSWORD, problemOf } from '#tests/support/identity-lab.ts';
import { tenantNames } from '../db/identifiers.ts';

const { clock, database, identity, services, join, withPassword, change, erase } = await identityLab();

/** Milliseconds of a refusal. */
const measure = async (email: string, ip: string) => {
  const start = performance.now();
  const { code } = await problemOf(identity.signIn({ email, password: 'wrong wrong wrong' }, { ip }));
  expect(code).toBe('invalid_credentials');
  return performance.now() - start;
};

let address = 0;
let origin = { ip: '' };
beforeEach(() => {
  origin = { ip: `10.0.0.${address++}` };
});

describe('signing in', () => {
  test('with the password opens a session of seven days', async () => {
    const user = await withPassword({ department: 'sales' });
    const session = await identity.signIn({ email: ` ${user.email.toUpperCase()} `, password: PASSWORD }, origin);
    expect(session.token).toMatch(/^arm_[A-Za-z0-9_-]{43}$/);
    expect(session.expiresAt.getTime()).toBe(clock.now() + 7 * DAY);
    expect(session.principal).toMatchObject({
      tenant: 'acme',
      userId: user.id,
      name: 'Ida Friis',
      email: user.email,
      roles: ['member', 'sales_rep'],
      // Everybody's role comes with it: no database role of a combination is needed.
      dbRole: tenantNames(database.rolePrefix, 'acme').role('sales_rep'),
      attributes: { department: 'sales' },
      locale: 'en',
      timeZone: 'Europe/Berlin',
      team: null,
      teams: [],
      teamMembers: [],
    });
    expect(await identity.authenticate(session.token)).toEqual(session.principal);
  });

  test('leaves out a role that the organisation has abolished', async () => {
    const publish = async (documents: readonly Readonly<Record<string, unknown>>[]) => {
      const { release: base } = await services.publisher.documents('acme');
      await services.publisher.publish('acme', { base, author: 'test', message: 'roles', documents });
    };
    await publish([{ kind: 'role', key: 'greeter', label: 'Greeter', inherits: ['member'] }]);
    const user = await withPassword({ roles: ['greeter', 'sales_rep'] });
    const { token } = await identity.signIn({ email: user.email, password: PASSWORD }, origin);
    expect((await identity.authenticate(token))?.roles).toEqual(['greeter', 'member', 'sales_rep']);
    await publish([]);
    expect((await identity.authenticate(token))?.roles).toEqual(['member', 'sales_rep']);
    const { principal } = await identity.signIn({ email: user.email, password: PASSWORD }, origin);
    expect(principal.roles).toEqual(['member', 'sales_rep']);
  });

  test('answers a wrong password, an unknown e-mail, an inactive, a deleted and a password-less user alike', async () => {
    const user = await withPassword();
    const inactive = await withPassword();
    await change(inactive, { active: false });
    const deleted = await withPassword();
    await erase(deleted);
    const none = await join();
    const attempts = [
      { email: user.email, password: 'wrong wrong wrong' },
      { email: 'nobody@acme.example', password: PASSWORD },
      { email: inactive.email, password: PASSWORD },
      { email: deleted.email, password: PASSWORD },
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
    const known: number[] = [];
    const unknown: number[] = [];
    // In turn, and the fastest of each: a busy machine makes any of them slower and none faster.
    for (let turn = 0; turn < 9; turn++) {
      // Not always in one order: a machine that takes pauses may take them in step with it.
      if (turn % 2 === 0) known.push(await measure(user.email, 'a'));
      unknown.push(await measure('nobody-at-all@acme.example', 'b'));
      if (turn % 2 === 1) known.push(await measure(user.email, 'a'));
    }
    const ratio = Math.min(...unknown) / Math.min(...known);
    expect(ratio).toBeGreaterThan(1 / 3);
    expect(ratio).toBeLessThan(3);
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
    await withPassword({ email });
    const { principal } = await identity.signIn({ email: 'Rene\u0301@acme.example', password: PASSWORD }, origin);
    expect(principal.email).toBe(email);
  });

  test('asks which organisation only where the password is right in several', async () => {
    const email = 'both@acme.example';
    await withPassword({ email });
    await withPassword({ email }, 'globex');
    const wrong = await problemOf(identity.signIn({ email, password: 'wrong wrong wrong' }, origin));
    expect(wrong.code).toBe('invalid_credentials');
    const several = await problemOf(identity.signIn({ email, password: PASSWORD }, origin));
    expect(several.errors).toMatchObject([
      {
        code: 'organisation_required',
        params: {
          organisations: [
            { key: 'acme', name: 'The acme organisation' },
            { key: 'globex', name: 'The globex organisation' },
          ],
        },
      },
    ]);
    const { principal } = await identity.signIn({ email, password: PASSWORD, organisation: 'globex' }, origin);
    expect(principal.tenant).toBe('globex');
  });
});
