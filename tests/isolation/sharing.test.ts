/**
 * Sharing and assigning in three modes: both layers, the row policies alone, the compiler alone. Each case is a share
 * that opens a record, or one that must not.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { type Answer, type Client, client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const { superuser } = database;
let now = Date.now();
let changes = 0;
const app = await testApp(database, { clock: { now: () => now } });
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

const team = async (name: string, parent?: string) =>
  (await admin.post('/api/core/v1/teams', { name, ...(parent && { parent }) })).json.data?.id ?? '';
const office = await team('office');
const north = await team('north', office);
const northEast = await team('north_east', north);
const south = await team('south', office);

interface Somebody {
  readonly id: string;
  readonly token: string;
}
async function somebody(name: string, roles: readonly string[], of: string): Promise<Somebody> {
  const email = `${name}@acme.example`;
  const { id } = await hire(admin, { name, email, roles, team: of });
  const { token } = await app.app.services.identity.issueToken({ tenant: 'acme', user: { email }, label: 'test' });
  return { id, token };
}
const rep = await somebody('rep', ['sales_rep'], north);
const other = await somebody('other', ['sales_rep'], south);
const eastern = await somebody('eastern', ['sales_rep'], northEast);
const boss = await somebody('boss', ['manager'], south);
const guest = await somebody('guest', ['member'], south);

async function setRowSecurity(on: boolean): Promise<void> {
  const { rows } = await superuser.query<{ relname: string }>(
    `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 't_acme' and c.relkind in ('r', 'p')`,
  );
  for (const { relname } of rows)
    await superuser.query(`alter table "t_acme"."${relname}" ${on ? 'enable' : 'disable'} row level security`);
}

const ACCOUNTS = '/api/crm/v1/accounts';
const OPPORTUNITIES = '/api/crm/v1/opportunities';
const HOUR = 3_600_000;

describe.each([
  { mode: 'both layers', url: app.url, rowSecurity: true },
  { mode: 'policies only', url: app.policiesOnly.url, rowSecurity: true },
  { mode: 'compiler only', url: app.url, rowSecurity: false },
])('$mode', ({ url, rowSecurity }) => {
  const as = (who: Somebody): Client => client(url, who.token);
  const mine = as(rep);
  let account = '';
  let address = '';

  beforeAll(() => setRowSecurity(rowSecurity));
  afterAll(() => setRowSecurity(true));
  beforeEach(async () => {
    const made = await mine.post(ACCOUNTS, { name: 'Plum Orchard Works' });
    account = made.json.data?.id ?? made.text;
    address = `${ACCOUNTS}/${account}`;
  });
  afterEach(async () => {
    await superuser.query(`delete from t_acme.shares`);
    await superuser.query(`delete from t_acme.crm_opportunity_lines`);
    await superuser.query(`delete from t_acme.crm_opportunities`);
    await superuser.query(`delete from t_acme.crm_accounts`);
  });

  const share = (body: object, from: Client = mine): Promise<Answer> => from.post(`${address}/shares`, body);
  /** What somebody may do with the account: nothing, read it, write it. */
  const reach = async (who: Somebody): Promise<'none' | 'read' | 'write'> => {
    const read = await as(who).get(address);
    const list = await as(who).get(`${ACCOUNTS}?$select=id&$count=exact`);
    const change = await as(who).patch(address, { description: `change ${++changes}` });
    const listed = (list.json.data ?? []).some(({ id }) => id === account);
    expect(listed).toBe(read.status === 200);
    if (read.status !== 200) {
      expect(read.status, read.text).toBe(404);
      expect(change.status, change.text).toBe(404);
      return 'none';
    }
    if (change.status !== 200) expect(change.status, change.text).toBe(403);
    return change.status === 200 ? 'write' : 'read';
  };

  test('without a share a record stays with its owner', async () => {
    expect(await reach(rep)).toBe('write');
    expect(await reach(other)).toBe('none');
  });

  test('a share to read opens it to be read, and one to write to be written', async () => {
    expect((await share({ user: other.id, level: 'read', reason: 'On leave' })).status).toBe(201);
    expect(await reach(other)).toBe('read');
    expect(await reach(eastern)).toBe('none');
    expect((await share({ user: other.id, level: 'write' })).status).toBe(201);
    expect(await reach(other)).toBe('write');
    // A narrower one takes the place of the wider.
    expect((await share({ user: other.id, level: 'read' })).status).toBe(201);
    expect(await reach(other)).toBe('read');
  });

  test('nobody deletes, assigns or shares on what was shared with them', async () => {
    await share({ user: other.id, level: 'write' });
    await share({ user: boss.id, level: 'write' });
    expect((await as(other).delete(address)).status).toBe(403);
    expect((await as(boss).delete(address)).status).toBe(403);
    expect((await as(other).post(`${address}/actions/assign`, { owner: other.id })).status).toBe(403);
    expect((await share({ user: eastern.id, level: 'read' }, as(other))).status).toBe(403);
    // Without the compiler the row policies leave nothing to tell.
    const told = await as(other).get(`${address}/shares`);
    if (told.status !== 403) expect(told.json.data?.['shares']).toEqual([]);
    expect(await reach(eastern)).toBe('none');
    // Deleting is a change of a column, too: it is not opened by the right to change.
    const { rows } = await superuser.query(`select deleted_at, owner from t_acme.crm_accounts`);
    expect(rows).toEqual([{ deleted_at: null, owner: rep.id }]);
  });

  test('a role without the right to the entity gains nothing', async () => {
    await share({ user: guest.id, level: 'write' });
    expect((await as(guest).get(address)).status).toBe(404);
    expect((await as(guest).patch(address, { name: 'Mine' })).status).toBe(404);
  });

  test('a share ends at its time, without anybody doing anything', async () => {
    const until = new Date(now + HOUR).toISOString();
    expect((await share({ user: other.id, level: 'write', until })).status).toBe(201);
    expect(await reach(other)).toBe('write');
    now += 2 * HOUR;
    expect(await reach(other)).toBe('none');
    const listed = (await mine.get(`${address}/shares`)).json.data?.['shares'];
    expect(listed).toMatchObject([{ state: 'expired', until: expect.any(String) }]);
  });

  test('a share that is ended is over at once, and stays on record', async () => {
    const { json } = await share({ user: other.id, level: 'read', reason: 'Quarter end' });
    expect(await reach(other)).toBe('read');
    expect((await mine.delete(`${address}/shares/${json.data?.id}`)).status).toBe(204);
    expect(await reach(other)).toBe('none');
    expect((await mine.delete(`${address}/shares/${json.data?.id}`)).status).toBe(404);
    expect((await mine.get(`${address}/shares`)).json.data).toMatchObject({
      owner: { id: rep.id, name: 'rep' },
      shares: [
        {
          user: { id: other.id, name: 'other' },
          team: null,
          level: 'read',
          reason: 'Quarter end',
          state: 'ended',
          created_by: { id: rep.id },
          ended_by: { id: rep.id },
        },
      ],
    });
  });

  test('a team is its members and those of the teams in it, as they are now', async () => {
    await share({ team: north, level: 'read' });
    expect(await reach(eastern)).toBe('read');
    expect(await reach(other)).toBe('none');
    expect(await reach(boss)).toBe('none');
    // The teams above are not the team.
    const moved = await admin.patch(`/api/core/v1/users/${eastern.id}`, { team: office });
    expect(moved.status, moved.text).toBe(200);
    expect(await reach(eastern)).toBe('none');
    await admin.patch(`/api/core/v1/users/${eastern.id}`, { team: northEast });
    expect(await reach(eastern)).toBe('read');
  });

  test('parts follow their whole', async () => {
    const product = await admin.post('/api/crm/v1/products', { name: 'Chair', price: '10.00' });
    const body = {
      name: 'Big one',
      account,
      lines: [{ product: product.json.data?.id, description: 'Chair', quantity: '2', unit_price: '10.00' }],
    };
    const made = await mine.post(OPPORTUNITIES, body);
    expect(made.status, made.text).toBe(201);
    const deal = `${OPPORTUNITIES}/${made.json.data?.id}`;
    const query = `?$select=id,lines(id)`;
    expect((await as(other).get(deal + query)).status).toBe(404);
    expect((await as(other).get('/api/crm/v1/opportunity_lines?$select=id')).json.data ?? []).toEqual([]);
    await mine.post(`${deal}/shares`, { user: other.id, level: 'read' });
    const seen = await as(other).get(deal + query);
    expect(seen.json.data?.['lines']).toHaveLength(1);
    expect((await as(other).get('/api/crm/v1/opportunity_lines?$select=id')).json.data).toHaveLength(1);
    const [line] = [seen.json.data?.['lines']].flat() as { id: string }[];
    const change = (who: Somebody) =>
      as(who).patch(deal, { lines: { update: [{ id: line?.id, description: `Chair ${++changes}` }] } });
    const refused = await change(other);
    expect(refused.status, refused.text).toBe(403);
    await mine.post(`${deal}/shares`, { user: other.id, level: 'write' });
    const changed = await change(other);
    expect(changed.status, changed.text).toBe(200);
  });

  test('“shared with me” is a filter', async () => {
    await share({ user: other.id, level: 'read' });
    const where = (value: string) => ({ where: { fact: 'shared_with_me', operator: 'equal', value }, select: ['id'] });
    expect((await as(other).post(`${ACCOUNTS}/$query`, where('read'))).json.data).toEqual([{ id: account }]);
    expect((await as(other).post(`${ACCOUNTS}/$query`, where('write'))).json.data).toEqual([]);
    expect((await mine.post(`${ACCOUNTS}/$query`, where('read'))).json.data).toEqual([]);
  });

  test('bad shares are refused, each in its place', async () => {
    const fault = async (body: unknown) => {
      const answer = await mine.post(`${address}/shares`, body);
      return [answer.status, ...(answer.json.errors ?? []).map((one) => `${one.pointer} ${one.code}`)];
    };
    expect(await fault({})).toEqual([422, '/user required', '/level choice']);
    expect(await fault({ user: other.id, team: north, level: 'read' })).toEqual([422, '/user required']);
    expect(await fault({ user: 'x', level: 'read' })).toEqual([422, '/user type']);
    expect(await fault({ user: north, level: 'read' })).toEqual([422, '/user reference']);
    expect(await fault({ user: other.id, level: 'own' })).toEqual([422, '/level choice']);
    expect(await fault({ user: other.id, level: 'read', until: new Date(now - 1).toISOString() })).toEqual([
      422,
      '/until too_small',
    ]);
    expect(await fault({ user: other.id, level: 'read', reason: 'x'.repeat(501) })).toEqual([422, '/reason too_long']);
    expect(await fault({ user: other.id, level: 'read', nonsense: 1 })).toEqual([422, '/nonsense unknown_field']);
    expect((await mine.get('/api/crm/v1/products')).status).toBe(200);
    expect(await reach(other)).toBe('none');
  });

  test('assigning gives a record away, also out of one’s own sight', async () => {
    const { headers } = await mine.get(address);
    const stale = await mine.post(`${address}/actions/assign`, { owner: other.id }, { 'if-match': '"v99.abcd"' });
    expect(stale.status, stale.text).toBe(412);
    const given = await mine.post(
      `${address}/actions/assign`,
      { owner: other.id },
      { 'if-match': headers.get('etag') ?? '', 'idempotency-key': `give-${account}` },
    );
    expect([given.status, given.json.data]).toEqual([200, null]);
    expect(await reach(rep)).toBe('none');
    expect(await reach(other)).toBe('write');
    const again = await mine.post(
      `${address}/actions/assign`,
      { owner: other.id },
      { 'if-match': headers.get('etag') ?? '', 'idempotency-key': `give-${account}` },
    );
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    const { json } = await as(other).get(`${address}/history`);
    expect(json.data?.flatMap(({ changes }) => changes)).toEqual(
      expect.arrayContaining([expect.objectContaining({ field: 'owner', old: rep.id, new: other.id })]),
    );
    const { rows } = await superuser.query(
      `select count(*)::int as n from armature.outbox where record_id = $1 and operation = 'update' and actor = $2`,
      [account, rep.id],
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('what others own is nobody’s to assign, and the owner is never changed otherwise', async () => {
    expect((await as(other).post(`${address}/actions/assign`, { owner: other.id })).status).toBe(404);
    expect((await as(guest).post(`${address}/actions/assign`, { owner: guest.id })).status).toBe(404);
    expect((await mine.patch(address, { owner: other.id })).status).toBe(422);
    for (const body of [{}, { owner: null }, { owner: 'x' }, { owner: account }, { owner: other.id, name: 'x' }]) {
      const refused = await mine.post(`${address}/actions/assign`, body);
      expect(refused.status, refused.text).toBe(422);
    }
    await admin.patch(`/api/core/v1/users/${eastern.id}`, { active: false });
    const inactive = await mine.post(`${address}/actions/assign`, { owner: eastern.id });
    const list = `/api/crm/v1/accounts`;
    const made = await admin.post(list, { name: 'Late', owner: eastern.id });
    const several = await admin.post(list, [{ name: 'In time' }, { name: 'Late', owner: eastern.id }]);
    const shared = await mine.post(`${address}/shares`, { user: eastern.id, level: 'read' });
    await admin.patch(`/api/core/v1/users/${eastern.id}`, { active: true });
    const told = [inactive, made, several, shared].map(({ status, json }) => [status, json.errors?.[0]?.pointer]);
    expect(told).toEqual([
      [422, '/owner'],
      [422, '/owner'],
      [422, '/1/owner'],
      [422, '/user'],
    ]);
    expect([made, several].map(({ json }) => json.errors?.[0]?.message)).toEqual(
      Array(2).fill(inactive.json.errors?.[0]?.message),
    );
    expect((await admin.post(list, { name: 'Late', owner: eastern.id })).status).toBe(201);
    expect(await reach(rep)).toBe('write');
  });

  test('of two who assign the same record at once with the same version, one is told', async () => {
    const { headers } = await admin.get(address);
    const race = await Promise.all(
      [other, eastern, boss].map((to) =>
        client(url, rep.token).post(
          `${address}/actions/assign`,
          { owner: to.id },
          { 'if-match': headers.get('etag') ?? '' },
        ),
      ),
    );
    const states = race.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(states[0]).toBe(200);
    expect(states.slice(1).every((status) => status === 404 || status === 412)).toBe(true);
  });
});

describe('Postgres by itself', () => {
  const role = async (name: string) => (await app.app.services.models.get('acme')).tenant.names.role(name);
  /** As a session of that person, whatever the engine would say. */
  const run = async (who: Somebody, sql: string, values: readonly unknown[] = []) => {
    await superuser.query('begin');
    try {
      await superuser.query(`select set_config('armature.user_id', $1, true)`, [who.id]);
      await superuser.query(`set local role "${await role('sales_rep')}"`);
      return (await superuser.query(sql, [...values])).rows;
    } finally {
      await superuser.query('rollback');
    }
  };

  test('holds the shares, the levels and the owner', async () => {
    const made = await client(app.url, rep.token).post(ACCOUNTS, { name: 'Quince & Sons' });
    const account = made.json.data?.id ?? '';
    const { model } = await app.app.services.models.get('acme');
    const entity = model.entities.get('crm.account')?.id;
    const give = `insert into t_acme.shares (id, entity, record, "user", level) values (gen_random_uuid(), $1, $2, $3, 'read') returning created_by`;
    expect(await run(rep, give, [entity, account, other.id])).toEqual([{ created_by: rep.id }]);
    await expect(run(other, give, [entity, account, other.id])).rejects.toThrow(/row-level security/);
    await expect(run(rep, give, ['e_000000000000', account, other.id])).rejects.toThrow(/row-level security/);
    await expect(run(rep, `update t_acme.crm_accounts set owner = $1`, [other.id])).rejects.toThrow(
      /permission denied/,
    );
    await expect(run(rep, `update t_acme.shares set level = 'write'`)).rejects.toThrow(/permission denied/);
    await expect(run(rep, `delete from t_acme.shares`)).rejects.toThrow(/permission denied/);
    const assign = `select t_acme."assign_${entity}"($1, $2, null)`;
    await expect(run(other, assign, [account, other.id])).rejects.toThrow(/unmatched/);
    await expect(run(rep, assign, [account, account])).rejects.toThrow(/owner/);
    expect(await run(rep, assign, [account, other.id])).toHaveLength(1);
    // Roles without the right cannot even call it.
    await superuser.query(`set role "${await role('support')}"`);
    const denied = superuser.query(assign, [account, other.id]);
    await expect(denied).rejects.toThrow(/permission denied/);
    await superuser.query('reset role');
  });

  test('with the policy of shares taken away, the checks above would fail', async () => {
    const made = await client(app.url, rep.token).post(ACCOUNTS, { name: 'Medlar & Co' });
    const address = `${ACCOUNTS}/${made.json.data?.id}`;
    const { rows } = await superuser.query<{ qual: string }>(
      `select qual from pg_policies where schemaname = 't_acme' and tablename = 'crm_accounts' and policyname = 'read_sales_rep'`,
    );
    expect(rows[0]?.qual).toContain('reach_shares');
    const bare = client(app.policiesOnly.url, other.token);
    await client(app.url, rep.token).post(`${address}/shares`, { user: other.id, level: 'read' });
    expect((await bare.get(address)).status).toBe(200);
    await superuser.query(
      `alter policy read_sales_rep on t_acme.crm_accounts using (owner = (select armature.user_id()))`,
    );
    expect((await bare.get(address)).status).toBe(404);
    await superuser.query(`alter policy read_sales_rep on t_acme.crm_accounts using (${rows[0]?.qual})`);
    expect((await bare.get(address)).status).toBe(200);
  });
});
