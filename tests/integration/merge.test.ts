/** Merging records, and the bin: restoring many, purging for good. */
import { beforeEach, describe, expect, test } from 'vitest';
import { emptyBins } from '#engine/records/bin-retention.ts';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTeam } from '../support/tenant.ts';

const database = await testDatabase();
const { superuser } = database;
const app = await testApp(database);
const { admin, north, person } = await makeTeam(app);
const boss = await person('boss', 'manager');
const rep = await person('rep', 'sales_rep');
const outsider = await person('outsider', 'sales_rep');

const ACCOUNTS = '/api/crm/v1/accounts';
const make = async (path: string, body: object, by: Client = boss.client): Promise<string> => {
  const { json, text } = await by.post(path, body);
  if (!json.data) throw new Error(text);
  return json.data.id;
};

describe('merging', () => {
  let winner = '';
  let loser = '';
  let third = '';
  beforeEach(async () => {
    winner = await make(ACCOUNTS, { name: 'Plum Orchard', tags: ['key', 'north'] });
    loser = await make(ACCOUNTS, {
      name: 'Plum Orchard Ltd',
      external_id: `X-${winner}`,
      phone: '+493012345678',
      employees: 12,
      annual_revenue: '1200.50',
      annual_revenue_currency: 'USD',
      tags: ['north', 'new'],
    });
    third = await make(ACCOUNTS, { name: 'PLUM ORCHARD', website: 'https://plum.example', parent: winner });
  });

  test('relinks everything, unites what it can, and leads old addresses to the winner', async () => {
    const contact = await make('/api/crm/v1/contacts', { last_name: 'Pip', account: loser });
    const hidden = await make(
      '/api/crm/v1/contacts',
      { last_name: 'Unseen', owner: outsider.id, account: loser },
      admin,
    );
    const child = await make(ACCOUNTS, { name: 'Daughter', parent: third });
    await boss.client.post(`${ACCOUNTS}/${loser}/shares`, { user: outsider.id, level: 'read' });
    const merged = await boss.client.post(
      `${ACCOUNTS}/${winner}/merge`,
      { from: [loser, third], fields: { name: loser, external_id: loser } },
      { 'idempotency-key': `merge-${winner}` },
    );
    expect(merged.status, merged.text).toBe(200);
    expect(merged.json.data).toMatchObject({
      id: winner,
      name: 'Plum Orchard Ltd',
      external_id: `X-${winner}`,
      phone: '+493012345678',
      employees: 12,
      annual_revenue: '1200.50',
      annual_revenue_currency: 'USD',
      website: 'https://plum.example',
      tags: ['key', 'north', 'new'],
      parent: null,
    });
    const account = async (path: string) => (await admin.get(`${path}?$select=account`)).json.data?.['account'];
    expect(await account(`/api/crm/v1/contacts/${contact}`)).toBe(winner);
    expect(await account(`/api/crm/v1/contacts/${hidden}`)).toBe(winner);
    expect((await admin.get(`${ACCOUNTS}/${child}?$select=parent`)).json.data?.['parent']).toBe(winner);
    // Old addresses.
    const old = await boss.client.get(`${ACCOUNTS}/${loser}?$select=id,name`);
    expect([old.status, old.headers.get('location')]).toEqual([308, `${ACCOUNTS}/${winner}?$select=id,name`]);
    expect((await rep.client.get(`${ACCOUNTS}/${loser}`)).status).toBe(404);
    // With whom a loser was shared, the winner is.
    expect((await outsider.client.get(`${ACCOUNTS}/${winner}`)).status).toBe(200);
    expect((await outsider.client.get(`${ACCOUNTS}/${loser}`)).status).toBe(308);
    // The bin holds the losers, and the history of both tells.
    const bin = await boss.client.get(`${ACCOUNTS}?$deleted=only&$select=id`);
    expect(bin.json.data?.map(({ id }) => id)).toEqual(expect.arrayContaining([loser, third]));
    const fields = async (id: string) =>
      (await boss.client.get(`${ACCOUNTS}/${id}/history`)).json.data?.flatMap(({ changes }) =>
        [changes].flat().map((one) => (one as { field: string }).field),
      );
    expect(await fields(winner)).toEqual(expect.arrayContaining(['name', 'phone', 'tags']));
    expect(await fields(loser)).toEqual(['deleted_at']);
    // The same request again is the same answer.
    const again = await boss.client.post(
      `${ACCOUNTS}/${winner}/merge`,
      { from: [loser, third], fields: { name: loser, external_id: loser } },
      { 'idempotency-key': `merge-${winner}` },
    );
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    // The winner is merged itself: the old addresses follow.
    const last = await make(ACCOUNTS, { name: 'Plum Group' });
    expect((await boss.client.post(`${ACCOUNTS}/${last}/merge`, { from: [winner] })).status).toBe(200);
    expect((await boss.client.get(`${ACCOUNTS}/${loser}`)).headers.get('location')).toBe(`${ACCOUNTS}/${last}`);
  });

  test('is for those who may merge all, change the winner and delete the losers', async () => {
    const own = await make(ACCOUNTS, { name: 'Own' }, rep.client);
    expect((await rep.client.post(`${ACCOUNTS}/${own}/merge`, { from: [winner] })).status).toBe(403);
    const foreign = await make(
      ACCOUNTS,
      { name: 'Foreign', owner: (await admin.get('/api/core/v1/users?email=admin@acme.example')).json.data?.[0]?.id },
      admin,
    );
    const hidden = await boss.client.post(`${ACCOUNTS}/${winner}/merge`, { from: [loser, foreign] });
    expect([hidden.status, hidden.json.errors?.[0]?.pointer]).toEqual([422, '/from/1']);
    const missing = await boss.client.post(`${ACCOUNTS}/${winner}/merge`, { from: [loser, north] });
    expect([missing.json.code, missing.json.errors]).toEqual([hidden.json.code, hidden.json.errors]);
    expect((await boss.client.post(`${ACCOUNTS}/${foreign}/merge`, { from: [loser] })).status).toBe(404);
    expect((await boss.client.get(`${ACCOUNTS}/${loser}`)).status).toBe(200);
  });

  test('refuses what makes no sense, each in its place', async () => {
    const fault = async (body: unknown) => {
      const answer = await boss.client.post(`${ACCOUNTS}/${winner}/merge`, body);
      return [answer.status, ...(answer.json.errors ?? []).map((one) => `${one.pointer} ${one.code}`)];
    };
    expect(await fault({})).toEqual([422, '/from required']);
    expect(await fault({ from: [winner] })).toEqual([422, '/from/0 duplicate']);
    expect(await fault({ from: [loser, loser] })).toEqual([422, '/from/1 duplicate']);
    expect(await fault({ from: ['x'] })).toEqual([422, '/from/0 type']);
    expect(await fault({ from: [loser], fields: { nonsense: loser } })).toEqual([
      422,
      '/fields/nonsense unknown_field',
    ]);
    expect(await fault({ from: [loser], fields: { version: loser } })).toEqual([422, '/fields/version read_only']);
    expect(await fault({ from: [loser], fields: { name: third } })).toEqual([422, '/fields/name reference']);
    expect(await fault({ from: Array.from({ length: 21 }, () => loser) })).toContain(422);
  });

  test('of two merges of the same records one happens', async () => {
    const { headers } = await boss.client.get(`${ACCOUNTS}/${winner}`);
    const tag = { 'if-match': headers.get('etag') ?? '' };
    const race = await Promise.all([
      boss.client.post(`${ACCOUNTS}/${winner}/merge`, { from: [loser] }, tag),
      boss.client.post(`${ACCOUNTS}/${winner}/merge`, { from: [loser] }, tag),
      boss.client.post(`${ACCOUNTS}/${loser}/merge`, { from: [winner] }),
    ]);
    expect(race.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status, text } of race) expect([200, 404, 412, 422], text).toContain(status);
    const live = await boss.client.get(`${ACCOUNTS}?$select=id&$first=200`);
    expect((live.json.data ?? []).filter(({ id }) => id === winner || id === loser)).toHaveLength(1);
  });

  test('a loser comes back out of the bin on its own', async () => {
    await boss.client.post(`${ACCOUNTS}/${winner}/merge`, { from: [third] });
    expect((await boss.client.post(`${ACCOUNTS}/${third}/actions/restore`)).status).toBe(200);
    expect((await boss.client.get(`${ACCOUNTS}/${third}`)).json.data).toMatchObject({ name: 'PLUM ORCHARD' });
  });
});

describe('the bin', () => {
  const count = async (sql: string, ...values: unknown[]) =>
    Number((await superuser.query<{ n: string }>(`select count(*) as n from ${sql}`, values)).rows[0]?.n);

  test('several records come back at once, or none', async () => {
    const ids = [await make(ACCOUNTS, { name: 'One' }), await make(ACCOUNTS, { name: 'Two' })];
    const live = await make(ACCOUNTS, { name: 'Three' });
    for (const id of ids) await boss.client.delete(`${ACCOUNTS}/${id}`);
    expect((await boss.client.post(`${ACCOUNTS}/bin`, { restore: [...ids, live] })).status).toBe(404);
    expect((await boss.client.get(`${ACCOUNTS}/${ids[0]}`)).status).toBe(404);
    expect((await boss.client.post(`${ACCOUNTS}/bin`, { restore: ids })).status).toBe(204);
    for (const id of ids) expect((await boss.client.get(`${ACCOUNTS}/${id}`)).status).toBe(200);
    for (const body of [{}, { restore: [] }, { drop: ids }, { restore: ids, purge: ids }, { purge: ['x'] }, []])
      expect((await boss.client.post(`${ACCOUNTS}/bin`, body)).status).toBe(422);
  });

  test('a purge takes the record, its parts and what the history said of them', async () => {
    const deal = await make('/api/crm/v1/opportunities', {
      name: 'Gone soon',
      account: await make(ACCOUNTS, { name: 'Stays' }),
      lines: [{ description: 'Chair', quantity: '1', unit_price: '9.00' }],
    });
    const address = `/api/crm/v1/opportunities/${deal}`;
    await boss.client.patch(address, { name: 'Gone sooner' });
    expect((await boss.client.post(`${address}/actions/purge`)).status).toBe(404);
    await boss.client.delete(address);
    expect((await rep.client.post(`${address}/actions/purge`)).status).toBe(403);
    const purged = await boss.client.post(`${address}/actions/purge`);
    expect(purged.status, purged.text).toBe(204);
    expect(await count(`t_acme.crm_opportunities where id = $1`, deal)).toBe(0);
    expect(await count(`t_acme.crm_opportunity_lines where opportunity = $1`, deal)).toBe(0);
    expect(await count(`t_acme.h_crm_opportunities where record_id = $1`, deal)).toBe(0);
    expect(await count(`t_acme.h_crm_opportunity_lines`)).toBe(0);
    expect(
      await count(`armature.outbox where record_id = $1 and operation = 'delete' and actor = $2`, deal, boss.id),
    ).toBe(2);
    expect((await boss.client.post(`${address}/actions/restore`)).status).toBe(404);
  });

  test('is emptied after the days that the organisation says', async () => {
    const current = await admin.get('/api/metadata/documents');
    const published = await admin.post('/api/metadata/publish', {
      base: current.json['release'] ?? current.json.data?.['release'],
      message: 'Keep leads for ten days',
      documents: [{ kind: 'entity', pack: 'crm', key: 'lead', bin: { keepDays: 10 } }],
    });
    expect(published.status, published.text).toBeLessThan(300);
    const ids = [];
    for (const last_name of ['Old', 'Fresh', 'Live']) ids.push(await make('/api/crm/v1/leads', { last_name }));
    const age = (id: string | undefined, days: number) =>
      superuser.query(`update t_acme.crm_leads set deleted_at = now() - make_interval(days => $2) where id = $1`, [
        id,
        days,
      ]);
    await age(ids[0], 11);
    await age(ids[1], 9);
    expect(await emptyBins(app.app.services)).toBe(1);
    const { rows } = await superuser.query(`select last_name from t_acme.crm_leads where id = any($1) order by 1`, [
      ids,
    ]);
    expect(rows).toEqual([{ last_name: 'Fresh' }, { last_name: 'Live' }]);
  });

  test('what others still refer to is not purged', async () => {
    const account = await make(ACCOUNTS, { name: 'Referred' });
    const contact = await make('/api/crm/v1/contacts', { last_name: 'Holder', account });
    await superuser.query(`update t_acme.crm_accounts set deleted_at = now() where id = $1`, [account]);
    const { rows } = await superuser.query(
      `select confdeltype from pg_constraint where conrelid = 't_acme.crm_contacts'::regclass and confrelid = 't_acme.crm_accounts'::regclass`,
    );
    const answer = await boss.client.post(`${ACCOUNTS}/${account}/actions/purge`);
    // Held where the reference restricts, emptied where it clears.
    if (rows[0]?.confdeltype === 'a') expect([answer.status, answer.json.code]).toEqual([409, 'still_referenced']);
    else expect(answer.status).toBe(204);
    expect((await boss.client.get(`/api/crm/v1/contacts/${contact}`)).status).toBe(200);
  });
});
