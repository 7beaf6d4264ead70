/**
 * Nobody sees or changes what they may not: generated from the model over people × entities × fields × operations, in
 * two organisations, and held against a second reading of the permissions (`expectation.ts`). Three times: with both
 * layers, with the row policies alone (the compiler adds no conditions), and with the compiler alone (row security off).
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Entity, Field } from '#engine/model/model.ts';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';
import { canaryValue, token } from './canary.ts';
import { Expectation } from './expectation.ts';
import { buildWorld, OVERRIDES, recordEntities, TENANTS, type WorldPerson, type WorldRecord } from './world.ts';

const database = await testDatabase();
const app = await testApp(database);
const world = await buildWorld(app, (tenant) => makeTenant(app, tenant));
const expectation = new Expectation(
  OVERRIDES,
  (entity, field) => world.model.entities.get(entity)?.fields.get(field)?.formula?.reads ?? [],
);

let cases = 0;
afterAll(() =>
  console.log(
    `isolation: ${cases.toLocaleString('en')} cases, ${world.records.length} records, ${world.people.length} people`,
  ),
);

const MODES = [
  { mode: 'both layers', url: app.url, rowSecurity: true },
  { mode: 'policies only', url: app.policiesOnly.url, rowSecurity: true },
  { mode: 'compiler only', url: app.url, rowSecurity: false },
] as const;

async function setRowSecurity(on: boolean): Promise<void> {
  for (const tenant of TENANTS) {
    const { rows } = await database.superuser.query<{ relname: string }>(
      `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind in ('r', 'p')`,
      [`t_${tenant}`],
    );
    for (const { relname } of rows) {
      await database.superuser.query(
        `alter table "t_${tenant}"."${relname}" ${on ? 'enable' : 'disable'} row level security`,
      );
    }
  }
}

const visible = (person: WorldPerson, entity: string) =>
  world.records.filter((record) => record.entity === entity && expectation.allows(person, 'read', entity, record));

/** Every canary in the text must be one this person may read. */
function expectNoLeak(person: WorldPerson, text: string): void {
  const leaked = world.records.flatMap((record) =>
    [...record.canaries]
      .filter(
        ([field, trace]) => text.includes(trace) && !expectation.allows(person, 'read', record.entity, record, field),
      )
      .map(([field, trace]) => `${record.entity}.${field} of ${record.tenant}: ${trace}`),
  );
  expect(leaked).toEqual([]);
}

const ids = (rows: readonly { readonly id: string }[] | undefined) => (rows ?? []).map((row) => row.id).sort();
const address = (entity: Entity) => `/api/${entity.pack}/v1/${entity.plural}`;
/** The answer without what differs from request to request. */
const plain = (text: string) => text.replace(/"instance":"[^"]*"/, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID');

for (const { mode, url, rowSecurity } of MODES) {
  describe(mode, () => {
    beforeAll(() => setRowSecurity(rowSecurity));
    afterAll(() => setRowSecurity(true));

    describe.each(world.people.map((person) => ({ title: `${person.name} of ${person.tenant}`, person })))(
      '$title',
      ({ person }) => {
        const client = world.clientOf(person, url);

        test.each(world.entities.map((entity) => ({ name: entity.name, entity })))(
          '$name: lists, counts, single records',
          async ({ entity }) => {
            await readsOnlyWhatIsAllowed(client, person, entity);
          },
        );

        test.each(world.entities.map((entity) => ({ name: entity.name, entity })))(
          '$name: every field, in every place a field can stand',
          async ({ entity }) => {
            for (const field of entity.fields.values())
              await fieldShowsOnlyWhatIsAllowed(client, person, entity, field);
          },
        );

        test.each(world.entities.map((entity) => ({ name: entity.name, entity })))(
          '$name: changes',
          async ({ entity }) => {
            await changesOnlyWhatIsAllowed(client, person, entity);
          },
        );
      },
    );
  });
}

async function readsOnlyWhatIsAllowed(client: Client, person: WorldPerson, entity: Entity): Promise<void> {
  const allowed = visible(person, entity.name);
  const list = await client.get(`${address(entity)}?$count=exact&$first=200`);
  cases++;
  if (allowed.length === 0 && list.status === 404) return;
  expect(list.status, list.text).toBe(200);
  expect(ids(list.json.data)).toEqual(ids(allowed));
  expect(list.json.count?.value).toBe(allowed.length);
  expectNoLeak(person, list.text);

  const missing = await client.get(`${address(entity)}/${randomUUID()}`);
  for (const record of world.records.filter((one) => one.entity === entity.name)) {
    const one = await client.get(`${address(entity)}/${record.id}`);
    cases++;
    const seen = expectation.allows(person, 'read', entity.name, record);
    expect(one.status, one.text).toBe(seen ? 200 : 404);
    if (!seen) expect(plain(one.text)).toBe(plain(missing.text));
    expectNoLeak(person, one.text);
    const history = await client.get(`${address(entity)}/${record.id}/history`);
    cases++;
    expectNoLeak(person, history.text);
    if (!seen) expect(history.status).toBe(404);
  }
}

async function fieldShowsOnlyWhatIsAllowed(
  client: Client,
  person: WorldPerson,
  entity: Entity,
  field: Field,
): Promise<void> {
  if (field.children) return;
  const base = address(entity);
  const unknown = (await client.get(`${base}?$select=id,no_such_field`)).text.replaceAll('no_such_field', 'FIELD');
  const knows =
    expectation.knows(person, 'read', entity.name, field.key) ||
    (field.system && visible(person, entity.name).length > 0);
  const places = [`$select=id,${field.key}`];
  if (field.type.sortable) places.push(`$select=id&$order=${field.key}`);
  if (field.type.groupable) places.push(`$group=${field.key}&$agg=n:count()`);
  for (const aggregate of field.type.aggregates) places.push(`$agg=x:${aggregate}(${field.key})`);
  places.push(`$select=id&${field.key}[null]=false`);
  for (const place of places) {
    const answer = await client.get(`${base}?${place}`);
    cases++;
    expectNoLeak(person, answer.text);
    const hidden =
      !knows &&
      !person.roles.includes('administrator') &&
      entityKnown(person, entity) &&
      !field.system &&
      field.currencyField === null &&
      !field.key.endsWith('_currency');
    if (hidden)
      expect(withoutSuggestion(answer.text.replaceAll(field.key, 'FIELD'))).toBe(
        withoutSuggestion(unknownIn(place, unknown)),
      );
  }
  // A filter must not tell whether a hidden value exists.
  for (const record of world.records.filter((one) => one.entity === entity.name && one.canaries.has(field.key))) {
    const trace = record.canaries.get(field.key) ?? '';
    const operator = field.type.operators.includes('icontains')
      ? 'icontains'
      : field.type.operators.includes('has')
        ? 'has'
        : 'eq';
    const answer = await client.get(
      `${base}?$select=id&$count=exact&${field.key}[${operator}]=${encodeURIComponent(trace)}`,
    );
    cases++;
    const readable = expectation.allows(person, 'read', entity.name, record, field.key);
    if (answer.status === 200) expect(ids(answer.json.data)).toEqual(readable ? [record.id] : []);
    else expect(readable, answer.text).toBe(false);
    if (readable) continue;
    const search = await client.get(`${base}?$select=id&$search=${encodeURIComponent(trace)}`);
    cases++;
    expect(search.json.data ?? []).toEqual([]);
  }
}

const entityKnown = (person: WorldPerson, entity: Entity) => visible(person, entity.name).length > 0;
/** What an unknown field answers depends on the parameter it stands in; the sentence is the same. */
const unknownIn = (_place: string, text: string) => text;
function withoutSuggestion(text: string): string {
  const { code, status, title }: { code?: string; status?: number; title?: string } = JSON.parse(text);
  return JSON.stringify({ code, status, title });
}

async function changesOnlyWhatIsAllowed(client: Client, person: WorldPerson, entity: Entity): Promise<void> {
  const table = `"t_${'{}'}"."${entity.table}"`;
  const stored = async (record: WorldRecord) =>
    JSON.stringify(
      (
        await database.superuser.query(
          `select to_jsonb(x) - 'updated_at' as row from ${table.replace('{}', record.tenant)} x where id = $1`,
          [record.id],
        )
      ).rows[0],
    );
  for (const record of world.records.filter((one) => one.entity === entity.name)) {
    for (const [key] of record.canaries) {
      const field = entity.fields.get(key);
      const value = field ? canaryValue(field, token()) : null;
      if (!field || value === null) continue;
      const before = await stored(record);
      const allowed = expectation.allows(person, 'update', entity.name, record, key);
      const answer = await client.patch(`${address(entity)}/${record.id}?$select=id`, { [key]: value });
      cases++;
      expect(answer.status === 200, `${key}: ${answer.status} ${answer.text}`).toBe(allowed);
      if (allowed) await restoreValue(record, table, key, before);
      else expect(await stored(record)).toBe(before);
    }
    const before = await stored(record);
    const removed = await client.delete(`${address(entity)}/${record.id}`);
    cases++;
    const mayDelete = expectation.allows(person, 'delete', entity.name, record);
    // Other records may still refer to it: then nothing is deleted, whoever asks.
    if (removed.status !== 409) expect(removed.status < 300, removed.text).toBe(mayDelete);
    if (removed.status < 300)
      await database.superuser.query(
        `update ${table.replace('{}', record.tenant)} set deleted_at = null where id = $1`,
        [record.id],
      );
    else expect(await stored(record)).toBe(before);
  }
  // Making a record for somebody else, or pointing at a record one may not see.
  for (const record of world.records.filter(
    (one) => one.entity === entity.name && one.owner !== null && one.tenant === person.tenant,
  )) {
    const answer = await client.post(`${address(entity)}?$select=id`, {
      ...requiredValues(entity),
      owner: record.owner,
    });
    cases++;
    expect(answer.status === 201, answer.text).toBe(expectation.allows(person, 'create', entity.name, record));
    if (answer.json.data)
      await database.superuser.query(`delete from ${table.replace('{}', person.tenant)} where id = $1`, [
        answer.json.data.id,
      ]);
  }
  for (const field of [...entity.fields.values()].filter((one) => one.type.key === 'reference')) {
    const target = field.reference?.entity ?? '';
    const hidden = world.records.find(
      (one) => one.entity === target && !expectation.allows(person, 'read', target, one),
    );
    if (!hidden) continue;
    const refer = (id: string) =>
      client.post(`${address(entity)}?$select=id`, { ...requiredValues(entity), [field.key]: id });
    const [answer, missing] = [await refer(hidden.id), await refer(randomUUID())];
    cases += 2;
    expect(answer.status, answer.text).not.toBe(201);
    expect(plain(answer.text)).toBe(plain(missing.text));
  }
}

function requiredValues(entity: Entity): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of entity.fields.values()) {
    if (field.system || field.readOnly || !field.required || field.default !== undefined) continue;
    values[field.key] = field.type.key === 'choice' ? field.choices?.[0]?.key : canaryValue(field, token());
  }
  return values;
}

async function restoreValue(record: WorldRecord, table: string, key: string, before: string): Promise<void> {
  const { row }: { row: Record<string, unknown> } = JSON.parse(before);
  const value = row[key];
  await database.superuser.query(`update ${table.replace('{}', record.tenant)} set "${key}" = $2 where id = $1`, [
    record.id,
    value === null || Array.isArray(value) || typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}

test('the model has entities, people and canaries to test with', () => {
  expect(recordEntities(world.model).length).toBeGreaterThanOrEqual(6);
  expect(world.records.every((record) => record.canaries.size > 0)).toBe(true);
});
