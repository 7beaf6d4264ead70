/** Holes that other products of this kind have published, each tried on ours. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Answer, Client, JsonRecord } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const ACCOUNTS = '/api/crm/v1/accounts';
const CONTACTS = '/api/crm/v1/contacts';
const LEADS = '/api/crm/v1/leads';

const may = (entity: string, rest: object) => ({ kind: 'permission', role: 'clerk', entity, ...rest });
/** A clerk sees accounts without phone and revenue, own contacts, and of other contacts the name. */
const CLERK = [
  { kind: 'role', key: 'clerk', label: 'Clerk', inherits: ['member'] },
  may('crm.account', {
    actions: ['read', 'create', 'update'],
    fields: {
      read: { except: ['phone', 'annual_revenue', 'email'] },
      create: { only: ['name', 'description'] },
      update: { only: ['description'] },
    },
  }),
  may('crm.contact', { key: 'own', actions: ['read', 'update', 'create'], conditions: { owner: 'self' } }),
  may('crm.contact', {
    key: 'names',
    actions: ['read', 'update'],
    fields: { read: { only: ['first_name', 'last_name', 'account'] }, update: { only: ['first_name'] } },
  }),
  may('crm.lead', {
    actions: ['read', 'update'],
    fields: { read: { only: ['last_name'] }, update: { only: ['description'] } },
    transitions: ['start'],
  }),
  may('crm.lead', { key: 'own', actions: ['read'], conditions: { owner: 'self' } }),
];

let clerk: Client;
let account: JsonRecord;
let foreign: JsonRecord;
const publish = async (documents: readonly object[]): Promise<void> => {
  const { json } = await admin.get('/api/metadata/documents');
  const base = json['release'] ?? json.data?.['release'];
  const answer = await admin.post('/api/metadata/publish', { base, message: 'Peers', documents });
  expect(answer.status, answer.text).toBe(201);
};
const kind = ({ status, json }: Answer) => [status, json.code];

beforeAll(async () => {
  await publish(CLERK);
  await hire(admin, { name: 'Clara', email: 'clara@acme.example', roles: ['clerk'] });
  clerk = await app.as('acme', 'clara@acme.example');
  const made = await admin.post(ACCOUNTS, {
    name: 'Visible Mills',
    phone: '+4930777777',
    email: 'hidden@canary.example',
    annual_revenue: '4242.00',
  });
  if (!made.json.data) throw new Error(made.text);
  account = made.json.data;
  const other = await admin.post(CONTACTS, { last_name: 'Other', email: 'other@canary.example', account: account.id });
  if (!other.json.data) throw new Error(other.text);
  foreign = other.json.data;
});

describe('Directus', () => {
  test('CVE-2025-30352: the search finds nothing by a field that is not shown', async () => {
    for (const words of ['hidden@canary.example', 'hidden', 'other@canary.example']) {
      for (const path of [ACCOUNTS, CONTACTS]) {
        const { json, text } = await clerk.get(`${path}?$search=${words}&$count=exact`);
        expect(json.data, text).toEqual([]);
        expect(json.count?.value).toBe(0);
      }
    }
    expect((await clerk.get(`${ACCOUNTS}?$search=Mills`)).json.data).toHaveLength(1);
  });

  test('CVE-2026-35442: aggregates and groups give nothing of a field that is not shown', async () => {
    for (const how of ['sum', 'min', 'max', 'avg', 'count', 'countDistinct']) {
      const hidden = await clerk.get(`${ACCOUNTS}?$agg=x:${how}(annual_revenue)`);
      expect(kind(hidden)).toEqual(kind(await clerk.get(`${ACCOUNTS}?$agg=x:${how}(no_such_field)`)));
    }
    for (const grouping of ['$group=phone&$agg=n:count()', '$distinct=phone']) {
      const hidden = await clerk.get(`${ACCOUNTS}?${grouping}`);
      expect(kind(hidden)).toEqual(kind(await clerk.get(`${ACCOUNTS}?${grouping.replace('phone', 'no_such_field')}`)));
    }
    // On contacts the address is shown of one's own: those of others are as if there were none.
    const { json, text } = await clerk.get(`${CONTACTS}?$agg=n:count(email),d:countDistinct(email)`);
    expect(text).not.toContain('canary');
    expect(json.data, text).toMatchObject([{ n: 0, d: 0 }]);
  });

  test('CVE-2024-34708: no other name brings a field back', async () => {
    for (const select of ['x:phone', 'phone:name', 'phone as x', 'x:max(phone)', '*,phone', 'name,phone']) {
      const answer = await clerk.get(`${ACCOUNTS}?$select=${encodeURIComponent(select)}`);
      expect(answer.status, select).toBe(400);
      expect(answer.text).not.toContain('777777');
    }
    const whole = await clerk.get(`${ACCOUNTS}?$select=*`);
    expect(whole.text).not.toContain('777777');
    const through = await clerk.get(`${CONTACTS}?$select=account(phone)`);
    expect(kind(through)).toEqual(kind(await clerk.get(`${CONTACTS}?$select=account(no_such_field)`)));
  });

  test('CVE-2025-64749: an entity out of reach answers like one that is not there', async () => {
    const without = (answer: Answer) => answer.text.replace(/"instance":"[^"]*"/, '');
    for (const rest of ['', `/${randomUUID()}`, '?name=x', '/imports']) {
      const [there, missing] = [
        await clerk.get(`/api/crm/v1/opportunities${rest}`),
        await clerk.get(`/api/crm/v1/no_such_things${rest}`),
      ];
      expect(there.status).toBe(404);
      expect(without(there)).toBe(without(missing));
    }
  });

  test('CVE-2025-64746: a field made anew under an old name inherits no permission', async () => {
    const field = { key: 'salary', type: 'text', label: 'Salary' };
    const thing = (fields: readonly object[]) => ({
      kind: 'entity',
      key: 'thing',
      plural: 'things',
      label: 'Thing',
      title: '{name}',
      fields: [{ key: 'name', type: 'text', label: 'Name', required: true }, ...fields],
    });
    const reads = (only: readonly string[]) => may('custom.thing', { actions: ['read'], fields: { read: { only } } });
    await publish([...CLERK, thing([field]), reads(['name', 'salary'])]);
    await publish([...CLERK, thing([]), reads(['name'])]);
    await publish([...CLERK, thing([{ ...field, type: 'integer' }]), reads(['name'])]);
    const made = await admin.post('/api/custom/v1/things', { name: 'T', salary: 4242 });
    expect(made.status, made.text).toBe(201);
    const list = await clerk.get('/api/custom/v1/things');
    expect([list.status, list.text.includes('4242')]).toEqual([200, false]);
    expect((await clerk.get('/api/custom/v1/things?$select=salary')).status).toBe(400);
  });

  test('GHSA-99vm-5v2h-h6r6: two permissions to change do not add up', async () => {
    const at = `${CONTACTS}/${foreign.id}`;
    expect((await clerk.patch(at, { first_name: 'Allowed' })).status).toBe(200);
    for (const body of [{ last_name: 'X' }, { first_name: 'Y', email: 'y@canary.example' }])
      expect((await clerk.patch(at, body)).status).toBe(403);
    expect((await admin.get(at)).json.data).toMatchObject({ first_name: 'Allowed', last_name: 'Other' });
  });
});

describe('Salesforce', () => {
  test('a condition and an order on a field that is not shown are refused like those on none', async () => {
    const places = ['F[starts]=%2B', 'F[null]=false', 'F=x', '$order=F', '$order=-F', '$where={"F":{"ne":"x"}}'];
    for (const place of places) {
      const [hidden, missing] = [
        await clerk.get(`${ACCOUNTS}?${place.replace('F', 'phone')}`),
        await clerk.get(`${ACCOUNTS}?${place.replace('F', 'no_such_field')}`),
      ];
      expect(kind(hidden), place).toEqual(kind(missing));
      expect(hidden.status).toBe(400);
    }
  });

  test('a way over a reference leads to no hidden field and no hidden record', async () => {
    for (const place of ['account.phone[starts]=%2B', '$order=account.phone', '$group=account.phone&$agg=n:count()']) {
      const hidden = await clerk.get(`${CONTACTS}?${place}`);
      expect(kind(hidden)).toEqual(kind(await clerk.get(`${CONTACTS}?${place.replace('phone', 'no_such_field')}`)));
    }
    // The condition on the address holds for one's own contacts alone, also when asked from the other side.
    const { json, text } = await clerk.get(`${CONTACTS}?email[starts]=other&$count=exact`);
    expect([json.data, json.count?.value], text).toEqual([[], 0]);
  });
});

describe('Supabase and PostgREST', () => {
  test('the feed tells of a deletion to whoever saw the record, with its id alone', async () => {
    // A transaction of a job may hold the feed back for a moment: it is asked until it has told.
    const until = async (since: string, sign: string): Promise<Answer> => {
      let told = await clerk.get(`/api/$changes?since=${since}`);
      const ask = async () => (told = await clerk.get(`/api/$changes?since=${since}`)).text;
      await expect.poll(ask, { timeout: 20_000 }).toContain(sign);
      return told;
    };
    const begin = String((await clerk.get('/api/$changes')).json['next']);
    const hidden = await admin.post('/api/crm/v1/opportunities', { name: 'Secret Deal' });
    const made = await admin.post(ACCOUNTS, { name: 'Goner', email: 'goner@canary.example' });
    const since = String((await until(begin, made.json.data?.id ?? '-')).json['next']);
    for (const path of [`${ACCOUNTS}/${made.json.data?.id}`, `/api/crm/v1/opportunities/${hidden.json.data?.id}`])
      expect((await admin.delete(path)).status).toBe(204);
    const told = await until(since, 'removed');
    expect(told.json.data, told.text).toMatchObject([
      { kind: 'removed', entity: 'crm.account', id: made.json.data?.id },
    ]);
    expect(told.text).not.toMatch(/Goner|canary|Secret|opportunit/);
  });

  test('a reference to a hidden record is refused like one to none', async () => {
    const { json } = await admin.post('/api/crm/v1/opportunities', { name: 'Other Deal' });
    const refer = (id: string | undefined) =>
      admin.post('/api/crm/v1/activities', { subject: 'x', opportunity: id }).then(({ status }) => status);
    expect(await refer(json.data?.id)).not.toBe(await refer(randomUUID()));
    const probe = async (id: string | undefined) =>
      (await clerk.post(CONTACTS, { last_name: 'P', account: id })).text.replace(/"instance":"[^"]*"/, '');
    const elsewhere = randomUUID();
    expect((await probe(json.data?.id)).replaceAll(String(json.data?.id), 'ID')).toBe(
      (await probe(elsewhere)).replaceAll(elsewhere, 'ID'),
    );
  });

  test('a value that is taken is called taken, and the record that has it is not named', async () => {
    await admin.post(CONTACTS, { last_name: 'Holder', external_id: 'TAKEN-1', email: 'holder@canary.example' });
    const answer = await clerk.post(CONTACTS, { last_name: 'Mine', external_id: 'TAKEN-1' });
    expect([answer.status, answer.json.code]).toEqual([409, 'unique']);
    expect(answer.text).not.toMatch(/Holder|canary|[0-9a-f]{8}-[0-9a-f]{4}-7/);
    const upsert = await clerk.post(`${CONTACTS}?$upsert=external_id`, [{ last_name: 'Z', external_id: 'TAKEN-1' }]);
    expect(upsert.text).not.toMatch(/Holder|canary/);
  });

  test('no hint suggests a name that is not shown', async () => {
    for (const path of [`${ACCOUNTS}?phon=x`, `${ACCOUNTS}?$select=annual_revenu`, `${ACCOUNTS}?$order=phne`]) {
      const { status, text } = await clerk.get(path);
      expect(status).toBe(400);
      expect(text).not.toMatch(/“phone”|“annual_revenue”|"nearest":"(phone|annual_revenue)"/);
    }
    const { text } = await clerk.patch(`${ACCOUNTS}/${account.id}`, { phonee: 'x', annual_revenu: '1' });
    expect(text).not.toMatch(/“phone”|“annual_revenue”|"nearest"/);
    for (const path of ['/api/openapi.json', '/api/ui/model']) {
      const { text: described } = await clerk.get(path);
      expect(described).not.toContain('annual_revenue');
    }
  });
});

test('a refused step does not tell a state that is not shown', async () => {
  const lead = await admin.post(LEADS, { last_name: 'Prospect', status: 'working', company: 'Mills' });
  expect(lead.status, lead.text).toBe(201);
  const refused = await clerk.post(`${LEADS}/${lead.json.data?.id}/actions/start`, {});
  expect([refused.status, refused.json.code], refused.text).toEqual([409, 'transition_refused']);
  expect(refused.text).not.toMatch(/“Working”|"working"/);
});
