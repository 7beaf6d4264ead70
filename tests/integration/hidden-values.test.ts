/** What a write leaves as it is tells nothing of a value that whoever writes is not shown. */
import { beforeAll, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const app = await testApp(await testDatabase());
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const ACCOUNTS = '/api/crm/v1/accounts';
const TRIAL = { prefer: 'tx=rollback' };

const GEAR = [
  {
    kind: 'entity',
    key: 'crate',
    plural: 'crates',
    label: 'Crate',
    owner: true,
    fields: [{ key: 'name', type: 'text' }],
  },
  {
    kind: 'entity',
    key: 'note',
    plural: 'notes',
    label: 'Note',
    softDelete: true,
    fields: [
      { key: 'code', type: 'text', unique: true },
      { key: 'about', type: 'any_reference', to: ['crate', 'gear'] },
    ],
  },
  {
    kind: 'permission',
    role: 'tidy',
    entity: 'custom.note',
    actions: ['read', 'create', 'update', 'delete', 'merge'],
  },
  { kind: 'permission', role: 'tidy', entity: 'custom.crate', actions: ['read'], conditions: { owner: 'self' } },
  {
    kind: 'entity',
    key: 'gear',
    plural: 'gears',
    label: 'Gear',
    fields: [
      { key: 'name', type: 'text' },
      { key: 'rate', type: 'integer' },
    ],
  },
  {
    kind: 'entity',
    key: 'hire',
    plural: 'hires',
    label: 'Hire',
    owner: true,
    fields: [
      { key: 'gear', type: 'reference', to: 'gear' },
      { key: 'rate', type: 'integer', fill: { from: 'custom.gear', field: 'rate', match: { id: 'gear' } } },
    ],
  },
  { kind: 'permission', role: 'tidy', entity: 'custom.gear', actions: ['read'] },
  {
    kind: 'permission',
    role: 'tidy',
    entity: 'custom.hire',
    actions: ['read', 'update'],
    fields: { read: { except: ['rate'] } },
  },
  {
    kind: 'permission',
    key: 'own',
    role: 'tidy',
    entity: 'custom.hire',
    actions: ['read'],
    conditions: { owner: 'self' },
  },
];

/** Sees the names of all accounts, and all of their own; may give away and merge any. */
const RIGHTS = [
  { kind: 'role', key: 'tidy', label: 'Tidy', inherits: ['member'] },
  {
    kind: 'permission',
    key: 'names',
    role: 'tidy',
    entity: 'crm.account',
    actions: ['read', 'update', 'delete', 'assign', 'merge'],
    fields: { read: { only: ['name'] } },
  },
  {
    kind: 'permission',
    key: 'own',
    role: 'tidy',
    entity: 'crm.account',
    actions: ['read', 'create', 'update'],
    conditions: { owner: 'self' },
  },
];

let tidy: Client;
let own: string;
let others: string;
beforeAll(async () => {
  const published = await admin.post('/api/metadata/publish', {
    base: 1,
    message: 'Tidy',
    documents: [...RIGHTS, ...GEAR],
  });
  expect(published.status, published.text).toBe(201);
  own = (await hire(admin, { name: 'Tia', email: 'tia@acme.example', roles: ['tidy'] })).id;
  tidy = await app.as('acme', 'tia@acme.example');
  others = (await admin.get('/api/core/v1/users?email=admin@acme.example')).json.data?.[0]?.id ?? '';
});

const make = async (by: Client, body: object): Promise<string> => {
  const { json, text } = await by.post(ACCOUNTS, body);
  if (!json.data) throw new Error(text);
  return json.data.id;
};

test('a merge that takes the value the record has already', async () => {
  const winner = await make(admin, { name: 'Target', phone: '+49301234567' });
  expect((await tidy.get(`${ACCOUNTS}/${winner}`)).json.data).toMatchObject({ phone: null, version: 1 });
  const guess = async (phone: string) => {
    const loser = await make(tidy, { name: 'Guess', phone });
    const body = { from: [loser], fields: { phone: loser } };
    const { json, text } = await tidy.post(`${ACCOUNTS}/${winner}/merge`, body, TRIAL);
    return json.data?.version ?? text;
  };
  expect([await guess('+49301234567'), await guess('+49301234568')]).toEqual([2, 2]);
});

test('giving a record to whom it belongs already', async () => {
  const account = await make(admin, { name: 'Whose' });
  const given = async (owner: string) => {
    const one = await tidy.post(`${ACCOUNTS}/${account}/actions/assign?$select=version`, { owner }, TRIAL);
    const many = await tidy.post(`${ACCOUNTS}/$actions/assign?id=${account}`, { owner }, TRIAL);
    return [one.json.data?.version, many.json.data?.['affected']];
  };
  expect([await given(others), await given(own)]).toEqual([
    [2, 1],
    [2, 1],
  ]);
  // Where it is shown, it tells nothing new.
  const mine = await make(tidy, { name: 'Mine' });
  const again = await tidy.post(`${ACCOUNTS}/${mine}/actions/assign?$select=version`, { owner: own });
  expect(again.json.data?.version).toBe(1);
});

test('a change after which a value is taken anew from another record', async () => {
  const gear = await admin.post('/api/custom/v1/gears', { name: 'Rope', rate: 7 });
  const version = async (rate: number) => {
    const hired = await admin.post('/api/custom/v1/hires', { gear: gear.json.data?.id, rate });
    const again = { gear: gear.json.data?.id };
    return (await tidy.patch(`/api/custom/v1/hires/${hired.json.data?.id}`, again)).json.data?.version;
  };
  expect([await version(7), await version(8)]).toEqual([2, 2]);
});

test('taking away a reference to one of several entities where none is shown', async () => {
  const NOTES = '/api/custom/v1/notes';
  const crate = await admin.post('/api/custom/v1/crates', { name: 'Hidden' });
  const gear = await admin.post('/api/custom/v1/gears', { name: 'Lamp' });
  const told = async (code: string, about: object | null) => {
    const note = (await admin.post(NOTES, { code, about })).json.data?.id ?? '';
    const other = await tidy.post(NOTES, { about: { entity: 'custom.gear', id: gear.json.data?.id } });
    const one = await tidy.patch(`${NOTES}/${note}?$select=version,about`, { about: null }, TRIAL);
    const many = await tidy.patch(`${NOTES}?id=${note}`, { about: null }, TRIAL);
    const listed = await tidy.post(`${NOTES}?$upsert=code`, [{ code, about: null }], TRIAL);
    const from = { from: [other.json.data?.id] };
    const merged = await tidy.post(`${NOTES}/${note}/merge?$select=version,about`, from, TRIAL);
    return [one.json.data, many.json.data?.['affected'], listed.json.data?.[0]?.['outcome'], merged.json.data];
  };
  const hidden = await told('a', { entity: 'custom.crate', id: crate.json.data?.id });
  expect(hidden).toEqual(await told('b', null));
  expect(hidden).toMatchObject([{ version: 2, about: null }, 1, 'updated', { about: null }]);
});
