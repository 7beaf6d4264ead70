/** What opens and ends a session: time, people, passwords; and the tokens of programs. */
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { DAY, identityLab, PASSWORD, problemOf, type User } from '#tests/support/identity-lab.ts';
import type { NewPerson } from '#tests/support/tenant.ts';
import { keepHouse } from '../housekeeping.ts';

const { clock, database, identity, services, administrator, chief, join, withPassword, change, erase, anotherProcess } =
  await identityLab();

let address = 0;
let origin = { ip: '' };
beforeEach(() => {
  origin = { ip: `10.0.0.${address++}` };
});

const open = async (values: Partial<NewPerson> = {}) => {
  const user = await withPassword(values);
  return { user, token: (await identity.signIn({ email: user.email, password: PASSWORD }, origin)).token };
};

describe('a session', () => {
  test('ends at its time, also while it is cached', async () => {
    const { token } = await open();
    clock.advance(7 * DAY - 1000);
    expect(await identity.authenticate(token)).not.toBeNull();
    clock.advance(1000);
    expect(await identity.authenticate(token)).toBeNull();
    const ended = async () => {
      const { rows } = await database.superuser.query<{ n: number }>(
        'select count(*)::int as n from armature.session where expires_at <= $1',
        [new Date(clock.now())],
      );
      return rows[0]?.n;
    };
    expect(await ended()).toBeGreaterThan(0);
    const { token: current } = await open();
    await keepHouse(services);
    expect(await ended()).toBe(0);
    const elsewhere = anotherProcess();
    expect(await elsewhere.identity.authenticate(current)).not.toBeNull();
    await elsewhere.close();
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

  test('stays ended when it was being looked up at that moment', async () => {
    const { token } = await open();
    const found = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const batch = services.database.batch.bind(services.database);
    const reading = vi.spyOn(services.database, 'batch').mockImplementation(async (session, statements) => {
      const results = await batch(session, statements);
      if (statements.some(({ text }) => /^select[^;]* from armature\.session /s.test(text))) {
        found.resolve();
        await ended.promise;
      }
      return results;
    });
    const looking = identity.authenticate(token);
    await found.promise;
    await identity.signOut(token);
    ended.resolve();
    await looking;
    reading.mockRestore();
    expect(await identity.authenticate(token)).toBeNull();
  });

  test('is stored as a hash only, and so is its password', async () => {
    const { user, token } = await open();
    const { rows } = await database.superuser.query<{ text: string }>(
      `select s::text || l::text as text from armature.session s join armature.login l using (user_id)`,
    );
    const stored = rows.map(({ text }) => text).join('\n');
    expect(stored).toContain(user.id);
    for (const secret of [token, token.slice(4), Buffer.from(token).toString('hex'), PASSWORD])
      expect(stored).not.toContain(secret);
  });

  test('sees at once what is changed here, and after half a minute what is changed elsewhere', async () => {
    const { user, token } = await open();
    const elsewhere = anotherProcess();
    const roles = async () => [
      (await identity.authenticate(token))?.roles,
      (await elsewhere.identity.authenticate(token))?.roles,
    ];
    const [rep, head, nobody] = [['member', 'sales_rep'], ['administrator', 'member'], ['member']];
    expect(await roles()).toEqual([rep, rep]);
    await change(user, { roles: ['administrator'] });
    expect(await roles()).toEqual([head, rep]);
    clock.advance(30_000);
    expect(await roles()).toEqual([head, head]);
    await change(user, { roles: [] });
    expect(await roles()).toEqual([nobody, head]);
    await elsewhere.identity.recordChanged('acme', 'core.user', user.id);
    expect(await roles()).toEqual([nobody, nobody]);
    await elsewhere.close();
  });

  test('is nobody’s once its user is gone', async () => {
    const { user, token } = await open();
    expect(await identity.authenticate(token)).not.toBeNull();
    await erase(user);
    expect(await identity.authenticate(token)).toBeNull();
  });

  test('carries the team, all teams under it, and their people', async () => {
    const team = async (name: string, parent: string | null) =>
      (await administrator.post('/api/core/v1/teams', { name, parent })).json.data?.id ?? '';
    const head = await team('Head', null);
    const region = await team('Region', head);
    const circle = await team('Circle', region);
    const round = await administrator.patch(`/api/core/v1/teams/${head}`, { parent: circle });
    expect(round.status, round.text).toBe(200);
    const colleague = await join({ team: circle });
    const { user, token } = await open({ team: head });
    const principal = await identity.authenticate(token);
    expect(principal?.team).toBe(head);
    expect(principal?.teams.toSorted()).toEqual([head, region, circle].toSorted());
    expect(principal?.teamMembers.toSorted()).toEqual([user.id, colleague.id].toSorted());
    await change(user, { team: null });
    expect(await identity.authenticate(token)).toMatchObject({ team: null, teams: [], teamMembers: [] });
  });

  test('asks the database nothing while its principal is known', async () => {
    const { token } = await open();
    const elsewhere = anotherProcess();
    const first = await elsewhere.identity.authenticate(token);
    expect(first).not.toBeNull();
    await elsewhere.close();
    expect(await elsewhere.identity.authenticate(token)).toBe(first);
    await elsewhere.identity.invalidate('acme');
    await expect(elsewhere.identity.authenticate(token)).rejects.toThrow('after calling end on the pool');
  });
});

describe('a password', () => {
  let eva: User;
  beforeAll(async () => {
    eva = await join({ email: 'eva@acme.example' });
  });

  test.each([
    ['too_short', 'short'],
    ['guessable', 'EVA@acme.example'],
    ['too_long', 'x'.repeat(300)],
  ])('that is %s is refused', async (code, password) => {
    const problem = await problemOf(identity.setPassword(await chief(), { userId: eva.id, password }));
    expect(problem.errors).toMatchObject([{ code, pointer: '/password' }]);
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
    const chief = await withPassword({ roles: ['administrator'] });
    const as = async (who: User) => (await identity.signIn({ email: who.email, password: PASSWORD }, origin)).principal;
    const change = { userId: user.id, password: 'another good one' };
    expect((await problemOf(identity.setPassword(await as(rep), change))).code).toBe('forbidden');
    await identity.setPassword(await as(chief), change);
    await identity.signIn({ email: user.email, password: 'another good one' }, origin);
    const missing = { userId: randomUUID(), password: 'another good one' };
    expect((await problemOf(identity.setPassword(await as(chief), missing))).code).toBe('not_found');
  });

  test('goes with the user’s e-mail, also when two users swap theirs', async () => {
    const one = await withPassword();
    const two = await withPassword({}, 'acme', 'the other one’s');
    await change(one, { email: 'moving@acme.example' });
    await change(two, { email: one.email });
    await change(one, { email: two.email });
    expect((await identity.signIn({ email: two.email, password: PASSWORD }, origin)).principal.userId).toBe(one.id);
    expect((await identity.signIn({ email: one.email, password: 'the other one’s' }, origin)).principal.userId).toBe(
      two.id,
    );
  });
});

describe('a token for a program', () => {
  test('lasts a year and needs no password', async () => {
    const user = await join();
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
    const user = await join();
    await change(user, { active: false });
    for (const email of [user.email, 'nobody@acme.example']) {
      expect((await problemOf(identity.issueToken({ tenant: 'acme', user: { email } }))).code).toBe('not_found');
    }
  });
});
