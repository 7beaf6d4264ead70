/** Giving all records that match a filter to another owner. */
import { beforeEach, describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTeam } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
const { admin, north, person } = await makeTeam(app);
const boss = await person('boss', 'manager');
const rep = await person('rep', 'sales_rep');
const service = await person('service', 'support');
const gone = await person('gone', 'sales_rep');
await admin.patch(`/api/core/v1/users/${gone.id}`, { active: false });

const ACCOUNTS = '/api/crm/v1/accounts';
const ASSIGN = `${ACCOUNTS}/$actions/assign`;
const owners = async (ids: readonly string[]): Promise<unknown[]> => {
  const { rows } = await database.superuser.query(
    'select owner, version from t_acme.crm_accounts where id = any($1) order by array_position($1, id)',
    [ids],
  );
  return rows.map(({ owner, version }) => [owner, Number(version)]);
};

describe.each([
  ['both layers', app.url],
  ['policies only', app.policiesOnly.url],
])('%s', (_, url) => {
  const by = client(url, boss.token);
  let ids: string[] = [];
  beforeEach(async () => {
    const list = ['a', 'b', 'c'].map((name) => ({ name: `${name} ${crypto.randomUUID()}` }));
    ids = (await boss.client.post(ACCOUNTS, list)).json.data?.map(({ id }) => id) ?? [];
  });
  const ofIds = () => `${ASSIGN}?id[in]=${ids.join(',')}`;

  test('by ids in the address or a filter in the body, with history and events of each', async () => {
    const given = await by.post(`${ASSIGN}?id[in]=${ids.slice(0, 2).join(',')}`, { owner: rep.id });
    expect(given.status, given.text).toBe(200);
    expect(new Set(given.json.data?.['ids'] as string[])).toEqual(new Set(ids.slice(0, 2)));
    const rest = await by.post(ASSIGN, { where: { id: { in: ids } }, set: { owner: rep.id } });
    // Two of them are theirs already.
    expect(rest.json.data).toEqual({ affected: 1, ids: [ids[2]] });
    expect(await owners(ids)).toEqual(ids.map(() => [rep.id, 2]));
    const { rows } = await database.superuser.query(
      `select (select count(*)::int from t_acme.h_crm_accounts where record_id = any($1)) as history,
              (select count(*)::int from armature.outbox where record_id = any($1) and operation = 'update') as events`,
      [ids],
    );
    expect(rows).toEqual([{ history: 3, events: 3 }]);
  });

  test('not more than may, not to nobody, and not without a filter', async () => {
    const refusals = [
      await by.post(ofIds(), { owner: rep.id }, { prefer: 'max-affected=2' }),
      await by.post(ofIds(), { owner: gone.id }),
      await by.post(ofIds(), { owner: north }),
      await by.post(ofIds(), {}),
      await by.post(ofIds(), { owner: rep.id, name: 'x' }),
      await by.post(ASSIGN, { set: { owner: rep.id } }),
    ];
    expect(refusals.map(({ json }) => [json.code, json.errors?.[0]?.pointer])).toEqual([
      ['max_affected', undefined],
      ['invalid', '/owner'],
      ['invalid', '/owner'],
      ['invalid', '/owner'],
      ['invalid', '/name'],
      ['invalid_parameter', '/where'],
    ]);
    expect(await owners(ids)).toEqual(ids.map(() => [boss.id, 1]));
  });

  test('all or none: one that may not be given away refuses the whole, and who may give none is told so', async () => {
    const own = client(url, rep.token);
    expect((await own.post(ofIds(), { owner: rep.id })).json.data).toEqual({ affected: 0, ids: [] });
    // Shared with them, they are seen and changed, and not given away.
    for (const id of ids) await boss.client.post(`${ACCOUNTS}/${id}/shares`, { user: rep.id, level: 'write' });
    const shared = await own.post(ofIds(), { owner: rep.id });
    expect([shared.status, shared.json.code]).toEqual([403, 'forbidden']);
    expect(await owners(ids)).toEqual(ids.map(() => [boss.id, 1]));
    expect((await client(url, service.token).post(ofIds(), { owner: rep.id })).status).toBe(403);
  });

  test('given away, they may be out of sight: the answer still says which', async () => {
    const outside = await person(crypto.randomUUID(), 'sales_rep');
    await admin.patch(`/api/core/v1/users/${outside.id}`, { team: null });
    const given = await by.post(ofIds(), { owner: outside.id });
    expect(given.json.data).toMatchObject({ affected: 3 });
    expect((await by.get(`${ACCOUNTS}/${ids[0]}`)).status).toBe(404);
  });

  test('many at the same time: each is done, or told that others were', async () => {
    for (let times = 0; times < 4; times += 1) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, at) => by.post(ofIds(), { owner: at % 2 ? rep.id : boss.id })),
      );
      for (const { status, text } of answers) expect([200, 503], text).toContain(status);
    }
  });
});
