/** Flags, settings, rules and templates, as people and programs meet them: over HTTP. */
import { describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

const DOCUMENTS = [
  { kind: 'role', key: 'sailor', label: 'Sailor', inherits: ['member'] },
  { kind: 'role', key: 'bosun', label: 'Bosun', inherits: ['sailor'] },
  {
    kind: 'permission',
    role: 'sailor',
    entity: 'owner',
    actions: ['read'],
    fields: { read: { except: ['phone_no'] } },
  },
  {
    kind: 'permission',
    role: 'sailor',
    entity: 'boat',
    actions: ['read', 'create', 'update'],
    fields: { read: { except: ['secret'] } },
  },
  {
    kind: 'entity',
    key: 'owner',
    plural: 'owners',
    label: 'Owner',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'phone_no', type: 'text' },
    ],
  },
  {
    kind: 'entity',
    key: 'boat',
    plural: 'boats',
    label: 'Boat',
    title: '{name}',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'length', type: 'integer' },
      { key: 'secret', type: 'text' },
      { key: 'proprietor', type: 'reference', to: 'owner' },
      {
        key: 'rig',
        type: 'choice',
        choices: [
          { key: 'sloop', label: 'Sloop' },
          { key: 'ketch', label: 'Ketch' },
        ],
      },
      { key: 'trips', type: 'children', of: 'trip' },
      { key: 'number', type: 'sequence', sequence: 'fleet_number' },
    ],
  },
  {
    kind: 'entity',
    key: 'trip',
    plural: 'trips',
    label: 'Trip',
    parent: 'boat',
    fields: [
      { key: 'boat', type: 'reference', to: 'boat', required: true },
      { key: 'name', type: 'text' },
      { key: 'goal', type: 'text', required: true },
    ],
  },
  {
    kind: 'entity',
    key: 'raft',
    plural: 'rafts',
    label: 'Raft',
    flag: 'rafts',
    fields: [
      { key: 'name', type: 'text' },
      { key: 'number', type: 'sequence', sequence: 'fleet_number' },
    ],
  },
  { kind: 'permission', role: 'sailor', entity: 'raft', actions: ['read', 'create'] },
  { kind: 'sequence', key: 'fleet_number', label: 'Fleet number', prefix: 'F-', digits: 3, start: 7 },
  { kind: 'flag', key: 'rafts', label: 'Rafts', description: 'Screens for rafts.' },
  { kind: 'flag', key: 'bosuns', label: 'For bosuns', default: true, roles: ['bosun'] },
  { kind: 'flag', key: 'half', label: 'For half', default: true, percent: 50 },
  { kind: 'flag', key: 'past', label: 'Over', default: true, until: '2020-01-01T00:00:00Z' },
  {
    kind: 'menu',
    key: 'sea',
    label: 'Sea',
    items: [
      { key: 'boats', entity: 'boat' },
      { key: 'rafts', entity: 'raft' },
      { key: 'owners', entity: 'owner', flag: 'bosuns' },
    ],
  },
  {
    kind: 'setting',
    key: 'season',
    label: 'Season',
    schema: { type: 'string', enum: ['summer', 'winter'] },
    default: 'summer',
  },
  {
    kind: 'setting',
    key: 'mail_key',
    label: 'Key of the mail service',
    secret: true,
    schema: { type: 'string', minLength: 8 },
  },
  { kind: 'setting', key: 'knots', label: 'Show knots', scope: 'user', schema: { type: 'boolean' }, default: false },
  {
    kind: 'rule',
    key: 'short',
    entity: 'boat',
    require: { length: { lt: 100 } },
    when: { length: { null: false } },
    field: 'length',
    message: 'Too long for the harbour.',
  },
  {
    kind: 'translation',
    locale: 'ar',
    texts: { 'rule:custom.short': 'Zu lang für den Hafen.', 'flag:custom.rafts': 'Flöße' },
  },
  {
    kind: 'template',
    key: 'papers',
    label: 'Papers',
    entity: 'boat',
    format: 'html',
    subject: 'Papers of {{name}}',
    body: '<h1>{{name}}</h1><p>{{rig}} of {{proprietor}} ({{proprietor.phone_no}}) {{secret}}</p>{{#trips}}<li>{{goal}} by {{boat.name}} {{name}}</li>{{/trips}}{{^trips}}none{{/trips}}{{#secret}}hidden{{/secret}}',
    locales: { de: { subject: 'Papiere von {{name}}', body: 'Boot {{name}}' } },
  },
];

const published = await admin.post('/api/metadata/publish', { base: 1, message: 'Sea', documents: DOCUMENTS });
expect(published.text, published.text).toContain('"number":2');
const person = async (role: string) => {
  await hire(admin, { name: role, email: `${role}@acme.example`, roles: [role] });
  return app.as('acme', `${role}@acme.example`);
};
const sailor = await person('sailor');
const bosun = await person('bosun');
const put = (client: typeof admin, path: string, body: unknown) =>
  client.send('PUT', path, JSON.stringify(body), { 'content-type': 'application/json' });

describe('a flag', () => {
  test('is on for those its document names, and the same at every look', async () => {
    const mine = (await sailor.get('/api/flags')).json.data;
    expect(mine).toMatchObject({ 'custom.rafts': false, 'custom.bosuns': false, 'custom.past': false });
    expect((await bosun.get('/api/flags')).json.data).toMatchObject({ 'custom.bosuns': true });
    expect((await sailor.get('/api/flags')).json.data).toEqual(mine);
  });

  test('is switched without a publish, by administrators alone, and that is kept', async () => {
    const model = async () => (await sailor.get('/api/ui/model')).json;
    expect(Object.keys(Object((await model())['entities']))).not.toContain('custom.raft');
    expect((await put(sailor, '/api/metadata/flags/custom.rafts', { on: true })).status).toBe(403);
    const answer = await put(admin, '/api/metadata/flags/custom.rafts', { on: true });
    expect([answer.status, answer.json.data]).toMatchObject([
      200,
      { flag: 'custom.rafts', switched: true, default: false, on: true },
    ]);
    expect(Object.keys(Object((await model())['entities']))).toContain('custom.raft');
    expect(JSON.stringify((await model())['menus'])).toContain('custom.raft');
    expect(JSON.stringify((await model())['menus'])).not.toContain('"owners"');
    // Hiding is no permission.
    expect((await sailor.get('/api/custom/v1/rafts')).status).toBe(200);
    await put(admin, '/api/metadata/flags/custom.rafts', { on: null });
    expect(Object.keys(Object((await model())['entities']))).not.toContain('custom.raft');
    const { rows } = await database.superuser.query(
      `select what, operation, subject, detail, actor is not null as known from armature.metadata_event where what = 'flag' order by id`,
    );
    expect(rows).toEqual([
      { what: 'flag', operation: 'insert', subject: 'custom.rafts', detail: 'true', known: true },
      { what: 'flag', operation: 'delete', subject: 'custom.rafts', detail: null, known: true },
    ]);
  });

  test('that does not exist is not switched, and what was meant is said', async () => {
    const answer = await put(admin, '/api/metadata/flags/custom.raft', { on: true });
    expect([answer.status, answer.json.detail]).toEqual([
      404,
      'There is no flag “custom.raft”. Did you mean “custom.rafts”?',
    ]);
    expect((await put(admin, '/api/metadata/flags/custom.rafts', { on: 'yes' })).json.errors?.[0]?.pointer).toBe('/on');
  });

  test('is switched by nobody else in Postgres either', async () => {
    const role = `${database.rolePrefix}_acme__sailor`;
    await database.superuser.query('begin');
    await database.superuser.query(`set local role "${role}"`);
    await expect(
      database.superuser.query(`insert into armature.flag_switch (flag, "on") values ('custom.rafts', true)`),
    ).rejects.toMatchObject({ code: '42501' });
    await database.superuser.query('rollback');
  });
});

describe('a setting', () => {
  const one = async (client: typeof admin, name: string) =>
    (await client.get('/api/settings')).json.data?.find((setting) => setting['setting'] === `custom.${name}`);

  test('has its default until an administrator sets it', async () => {
    expect(await one(sailor, 'season')).toMatchObject({ value: 'summer', set: false, scope: 'tenant' });
    expect((await put(sailor, '/api/settings', { 'custom.season': 'winter' })).status).toBe(403);
    expect((await put(admin, '/api/settings', { 'custom.season': 'winter' })).status).toBe(204);
    expect(await one(sailor, 'season')).toMatchObject({ value: 'winter', set: true });
    expect((await put(admin, '/api/settings', { 'custom.season': null })).status).toBe(204);
    expect(await one(sailor, 'season')).toMatchObject({ value: 'summer', set: false });
  });

  test('refuses what it cannot be, all at once and with nothing changed', async () => {
    const answer = await put(admin, '/api/settings', {
      'custom.season': 'autumn',
      'custom.knots': 1,
      'custom.seasn': 'x',
      'custom.mail_key': 'longenough',
    });
    expect(answer.json.errors?.map(({ pointer }) => pointer)).toEqual([
      '/custom.season',
      '/custom.knots',
      '/custom.seasn',
    ]);
    expect(answer.json.errors?.[2]?.message).toContain('Did you mean');
    expect(await one(admin, 'mail_key')).toMatchObject({ set: false });
  });

  test('of days on which nobody works takes days as deadlines read them, and no others', async () => {
    expect((await put(admin, '/api/settings', { 'core.holidays': ['25.12.2026'] })).status).toBe(422);
    expect((await put(admin, '/api/settings', { 'core.holidays': ['2026-12-25'] })).status).toBe(204);
  });

  test('of one’s own is nobody else’s', async () => {
    expect((await put(sailor, '/api/settings', { 'custom.knots': true })).status).toBe(204);
    expect(await one(sailor, 'knots')).toMatchObject({ value: true });
    expect(await one(bosun, 'knots')).toMatchObject({ value: false });
  });

  test('that is secret is stored sealed and never told', async () => {
    await put(admin, '/api/settings', { 'custom.mail_key': 'correct horse' });
    expect(await one(admin, 'mail_key')).toMatchObject({ value: null, set: true, secret: true });
    expect(await one(sailor, 'mail_key')).toBeUndefined();
    const { rows } = await database.superuser.query(
      `select value from armature.setting_value where setting = 'custom.mail_key'`,
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('horse');
  });
});

test('a rule speaks the language of the person', async () => {
  const answer = await sailor.post('/api/custom/v1/boats', { name: 'A', length: 120 });
  expect(answer.json.errors).toMatchObject([
    { code: 'rule', message: 'Too long for the harbour.', pointer: '/length' },
  ]);
  const me = (await sailor.get('/api/session')).json.data;
  const id = String(Object(Object(me)['user'])['id']);
  expect((await admin.patch(`/api/core/v1/users/${id}`, { locale: 'ar' })).status).toBe(200);
  expect((await sailor.post('/api/custom/v1/boats', { name: 'A', length: 120 })).json.errors).toMatchObject([
    { message: 'Zu lang für den Hafen.' },
  ]);
  expect((await admin.patch(`/api/core/v1/users/${id}`, { locale: 'en' })).status).toBe(200);
});

test('a named sequence gives its numbers to all its fields', async () => {
  await put(admin, '/api/metadata/flags/custom.rafts', { on: true });
  const numbers = [];
  for (const path of ['boats', 'rafts', 'boats'])
    numbers.push((await admin.post(`/api/custom/v1/${path}`, { name: 'N' })).json.data?.['number']);
  await put(admin, '/api/metadata/flags/custom.rafts', { on: null });
  const [first, ...rest] = numbers.map((text) => Number(String(text).replace('F-', '')));
  expect(String(numbers[0])).toMatch(/^F-\d{3}$/);
  expect(rest).toEqual([Number(first) + 1, Number(first) + 2]);
});

describe('a template', () => {
  test('is filled in under the rights of whoever asks: what is hidden is empty', async () => {
    const owner = (await admin.post('/api/custom/v1/owners', { name: 'Ann <b>', phone_no: '0421' })).json.data?.id;
    const { id } = (
      await admin.post('/api/custom/v1/boats', {
        name: 'Argo & Co',
        rig: 'ketch',
        secret: 'gold',
        proprietor: owner,
        trips: [{ goal: 'Colchis' }, { goal: 'Home', name: 'back' }],
      })
    ).json.data ?? { id: '' };
    const path = `/api/custom/v1/boats/${id}/templates/papers`;
    expect((await admin.post(path)).json.data).toMatchObject({
      template: 'custom.papers',
      format: 'html',
      subject: 'Papers of Argo & Co',
      body: '<h1>Argo &amp; Co</h1><p>Ketch of Ann &lt;b&gt; (0421) gold</p><li>Colchis by Argo &amp; Co </li><li>Home by Argo &amp; Co back</li>hidden',
    });
    const seen = (await sailor.post(path)).json.data;
    expect(seen?.['body']).toBe(
      '<h1>Argo &amp; Co</h1><p>Ketch of Ann &lt;b&gt; () </p><li>Colchis by Argo &amp; Co </li><li>Home by Argo &amp; Co back</li>',
    );
    expect((await sailor.post(path, { locale: 'de' })).json.data).toMatchObject({
      locale: 'de',
      subject: 'Papiere von Argo & Co',
      body: 'Boot Argo &amp; Co',
    });
    const empty = (await admin.post('/api/custom/v1/boats', { name: 'E' })).json.data?.id;
    expect((await admin.post(`/api/custom/v1/boats/${empty}/templates/custom.papers`)).json.data?.['body']).toBe(
      '<h1>E</h1><p> of  () </p>none',
    );
    expect((await sailor.post(`/api/custom/v1/boats/${id}/templates/nothing`)).status).toBe(404);
    expect((await sailor.post(path, { local: 'de' })).json.errors?.[0]?.pointer).toBe('/local');
  });

  test('is checked when it is published', async () => {
    const faults = async (body: string) => {
      const documents = [...DOCUMENTS, { kind: 'template', key: 'x', label: 'X', entity: 'boat', body }];
      return (await admin.post('/api/metadata/plan', { documents })).json.errors?.map(({ message, pointer }) => [
        pointer,
        message,
      ]);
    };
    expect(await faults('{{nam}}')).toEqual([
      ['/body', 'There is no field of custom.boat “nam”. Did you mean “name”?'],
    ]);
    expect(await faults('{{#trips}}{{goals}}{{/trips}}')).toMatchObject([
      ['/body', expect.stringContaining('custom.trip')],
    ]);
    expect(await faults('{{{name}}}')).toMatchObject([['/body', expect.stringContaining('always escaped')]]);
    expect(await faults('{{> other}}')).toMatchObject([['/body', expect.stringContaining('another one')]]);
    expect(await faults('{{constructor}} {{__proto__.x}}')).toMatchObject([
      ['/body', expect.any(String)],
      ['/body', expect.any(String)],
    ]);
    expect(await faults('{{#trips}}')).toMatchObject([['/body', expect.stringContaining('Unclosed section')]]);
    expect(await faults('{{trips}}')).toMatchObject([['/body', expect.stringContaining('holds parts')]]);
  });
});
