/** Merging records of an organisation's own entity: links among them, shares that have run out, files. */
import { expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTeam } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
const { admin, person } = await makeTeam(app);
const boss = await person('boss', 'manager');
const outsider = await person('outsider', 'sales_rep');

const actions = ['create', 'read', 'update', 'delete', 'share', 'merge'];
const current = await admin.get('/api/metadata/documents');
const published = await admin.post('/api/metadata/publish', {
  base: current.json['release'] ?? current.json.data?.['release'],
  message: 'Mills',
  documents: [
    {
      kind: 'entity',
      key: 'mill',
      plural: 'mills',
      label: 'Mill',
      title: '{name}',
      owner: true,
      softDelete: true,
      sharing: true,
      fields: [
        { key: 'name', type: 'text', label: 'Name', required: true },
        { key: 'plan', type: 'file', label: 'Plan' },
        { key: 'feeds', type: 'links', label: 'Feeds', to: 'mill', inverse: 'fed_by' },
      ],
    },
    { kind: 'permission', role: 'manager', entity: 'mill', actions },
    { kind: 'permission', role: 'sales_rep', entity: 'mill', actions, conditions: { owner: 'self' } },
  ],
});
if (published.status >= 300) throw new Error(published.text);

const MILLS = '/api/custom/v1/mills';
const make = async (body: object): Promise<string> => {
  const { json, text } = await boss.client.post(MILLS, body);
  if (!json.data) throw new Error(text);
  return json.data.id;
};
const merge = (winner: string, losers: readonly string[], fields?: object) =>
  boss.client.post(`${MILLS}/${winner}/merge?$select=name,plan`, { from: losers, ...(fields && { fields }) });

test('what was linked to each other is linked to nothing, and to itself least of all', async () => {
  const lee = await make({ name: 'Lee' });
  const top = await make({ name: 'Top' });
  const winner = await make({ name: 'Alder Mill', feeds: [lee] });
  const loser = await make({ name: 'The Alder Mill', feeds: [winner, lee] });
  const third = await make({ name: 'Alder', feeds: [loser] });
  await boss.client.patch(`${MILLS}/${winner}`, { feeds: { add: [loser] } });
  await boss.client.patch(`${MILLS}/${top}`, { feeds: [third, winner] });
  const merged = await merge(winner, [loser, third]);
  expect(merged.status, merged.text).toBe(200);
  const { json } = await boss.client.get(`${MILLS}/${winner}?$select=feeds(name),fed_by(name)`);
  expect(json.data).toEqual({ feeds: [{ name: 'Lee' }], fed_by: [{ name: 'Top' }] });
});

test('a share that has run out does not keep away one that has not', async () => {
  const winner = await make({ name: 'Birch Mill' });
  const loser = await make({ name: 'The Birch Mill' });
  const until = new Date(Date.now() + 60_000).toISOString();
  const share = async (record: string, more: object) =>
    expect(
      (await boss.client.post(`${MILLS}/${record}/shares`, { user: outsider.id, level: 'read', ...more })).status,
    ).toBe(201);
  await share(winner, { until });
  await share(loser, { reason: 'Knows it' });
  await database.superuser.query(`update t_acme.shares set until = now() - interval '1 minute' where record = $1`, [
    winner,
  ]);
  const seen = async () => (await outsider.client.get(`${MILLS}/${winner}`)).status;
  expect(await seen()).toBe(404);
  expect((await merge(winner, [loser])).status).toBe(200);
  expect(await seen()).toBe(200);
});

test('a file stays with the record it was sent for', async () => {
  const text = { 'content-type': 'text/plain' };
  const file = await boss.client.send('POST', `${MILLS}/$files?name=plan.txt`, 'Two wheels.', text);
  const winner = await make({ name: 'Elm Mill' });
  const loser = await make({ name: 'The Elm Mill', plan: file.json.data?.id });
  const chosen = await merge(winner, [loser], { plan: loser });
  expect([chosen.status, chosen.json.errors?.[0]?.pointer]).toEqual([422, '/fields/plan']);
  const merged = await merge(winner, [loser]);
  expect([merged.status, merged.json.data], merged.text).toEqual([200, { name: 'Elm Mill', plan: null }]);
  await boss.client.post(`${MILLS}/bin`, { restore: [loser] });
  expect((await boss.client.get(`${MILLS}/${loser}/files/plan`)).text).toBe('Two wheels.');
});
