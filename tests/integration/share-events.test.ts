/** Whoever gains or loses sight of a record by a share hears of it in the change feed; nobody else does. */
import { beforeEach, expect, test, vi } from 'vitest';
import { keepShares } from '#engine/records/share/retention.ts';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { settled } from '../support/outbox.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

// Transactions of other tests on the same server hold the feed back.
vi.setConfig({ testTimeout: 600_000 });
const database = await testDatabase();
const { superuser } = database;
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const LEADS = '/api/crm/v1/leads';

const permission = { kind: 'permission', role: 'own', entity: 'crm.lead', conditions: { owner: 'self' } };
const documents = [
  { kind: 'role', key: 'own', label: 'Own', inherits: ['member'] },
  { ...permission, actions: ['read', 'create', 'update', 'delete', 'share'] },
];
const published = await admin.post('/api/metadata/publish', { base: 1, message: 'Roles', documents });
if (published.status !== 201) throw new Error(published.text);
const team = async (name: string, parent?: string): Promise<string> =>
  (await admin.post('/api/core/v1/teams', { name, ...(parent !== undefined && { parent }) })).json.data?.id ?? '';
const above = await team('Above');
const north = await team('North', above);
const part = await team('Part of north', north);
const person = async (name: string, of?: string): Promise<{ id: string; client: Client }> => {
  const email = `${name}@acme.example`;
  const { id } = await hire(admin, { name, email, roles: ['own'], ...(of !== undefined && { team: of }) });
  return { id, client: await app.as('acme', email) };
};
const ann = await person('ann');
const people = {
  ann: ann.client,
  bob: (await person('bob')).client,
  carl: (await person('carl')).client,
  dora: (await person('dora', part)).client,
  emil: (await person('emil', above)).client,
  // Sees all of them anyway.
  admin,
};
type Name = keyof typeof people;
const bobId = (await admin.get('/api/core/v1/users?email=bob@acme.example')).json.data?.[0]?.id ?? '';

const tokens = new Map<Name, string>();
async function page(name: Name): Promise<readonly { kind: string; reason?: string; id: string }[]> {
  const since = tokens.get(name);
  const { json, text } = await people[name].get(`${LEADS}/$changes${since === undefined ? '' : `?since=${since}`}`);
  if (!Array.isArray(json.data)) throw new Error(text);
  tokens.set(name, String(json['next']));
  return JSON.parse(JSON.stringify(json.data));
}
/** What everybody has been told since they last looked, of one record. */
async function told(id: string): Promise<Record<string, string[]>> {
  await settled(database);
  const found: Record<string, string[]> = {};
  for (const name of Object.keys(people) as Name[]) {
    const items = (await page(name)).filter((item) => item.id === id);
    if (items.length > 0) found[name] = items.map(({ kind, reason }) => [kind, reason].filter(Boolean).join(' '));
  }
  return found;
}

let lead = '';
const share = async (body: object): Promise<string> => {
  const { json, text } = await ann.client.post(`${LEADS}/${lead}/shares`, { level: 'read', ...body });
  if (!json.data) throw new Error(text);
  return json.data.id;
};
const end = (id: string) => ann.client.delete(`${LEADS}/${lead}/shares/${id}`);
beforeEach(async () => {
  lead = (await ann.client.post(LEADS, { last_name: 'Plum', company: 'Orchard' })).json.data?.id ?? '';
  await told(lead);
});

test('a person: seen, and out of sight again', async () => {
  const id = await share({ user: bobId });
  expect(await told(lead)).toEqual({ bob: ['upsert'] });
  expect((await people.bob.get(`${LEADS}/${lead}`)).status).toBe(200);
  expect((await end(id)).status).toBe(204);
  expect(await told(lead)).toEqual({ bob: ['removed changed'] });
  // A change afterwards is none of theirs.
  await ann.client.patch(`${LEADS}/${lead}`, { company: 'Grove' });
  expect(await told(lead)).toEqual({ ann: ['upsert'], admin: ['upsert'] });
});

test('a team and what is a part of it, and not the team above; who has another share keeps it', async () => {
  const ofTeam = await share({ team: north });
  expect(await told(lead)).toEqual({ dora: ['upsert'] });
  const doraId = (await admin.get('/api/core/v1/users?email=dora@acme.example')).json.data?.[0]?.id;
  const own = await share({ user: doraId, level: 'write' });
  await told(lead);
  await end(ofTeam);
  // Still seen: there is nothing gone.
  expect(await told(lead)).toEqual({ dora: ['upsert'] });
  await end(own);
  expect(await told(lead)).toEqual({ dora: ['removed changed'] });
});

test('a share whose time is over is ended by housekeeping, told, and forgotten after a year', async () => {
  await share({ user: bobId, until: '2999-01-01T00:00:00Z' });
  await told(lead);
  await superuser.query(`update t_acme.shares set until = now() - interval '1 minute' where record = $1`, [lead]);
  expect((await people.bob.get(`${LEADS}/${lead}`)).status).toBe(404);
  const { database: own, models, clock } = app.app.services;
  await keepShares({ database: own, models, clock });
  expect(await told(lead)).toEqual({ bob: ['removed changed'] });
  const listed = (await ann.client.get(`${LEADS}/${lead}/shares`)).json.data?.['shares'];
  expect(listed).toMatchObject([{ state: 'expired', ended_by: null }]);
  const left = async () => (await superuser.query('select from t_acme.shares where record = $1', [lead])).rowCount;
  const later = (days: number) => ({ ...clock, now: () => clock.now() + days * 86_400_000 });
  await keepShares({ database: own, models, clock: later(364) });
  expect(await left()).toBe(1);
  await keepShares({ database: own, models, clock: later(366) });
  expect(await left()).toBe(0);
  // Forgetting is nothing that happened to anybody.
  expect(await told(lead)).toEqual({});
});

test('what was deleted, or merged away, is not told again by its shares', async () => {
  const id = await share({ user: bobId });
  await told(lead);
  await ann.client.delete(`${LEADS}/${lead}`);
  expect(await told(lead)).toEqual({ ann: ['removed deleted'], bob: ['removed deleted'], admin: ['removed deleted'] });
  await end(id);
  expect(await told(lead)).toEqual({});
});
