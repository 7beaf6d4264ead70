/**
 * The ways out that are no list of records: events, workbooks, files, templates, figures; and whoever is nobody, or
 * nobody any more. With both layers, with the policies alone and with the compiler alone.
 */
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Entity } from '#engine/model/model.ts';
import { testApp } from '../support/app.ts';
import { client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';
import { setRowSecurity } from './twins.ts';
import { buildWorld, expectationOf, TENANTS, type WorldPerson, type WorldRecord } from './world.ts';

const database = await testDatabase();
const app = await testApp(database);
const world = await buildWorld(app, (tenant) => makeTenant(app, tenant), true);
const expectation = expectationOf(world.model);
const people = world.people.filter(({ tenant, name }) => tenant === TENANTS[0] || name === 'both');
const specimens = world.records.filter(({ entity }) => entity === 'custom.specimen');
const specimen = world.entities.find(({ name }) => name === 'custom.specimen');
if (!specimen) throw new Error('there are no specimens');

const MODES = [
  { mode: 'both layers', url: app.url, rowSecurity: true },
  { mode: 'policies only', url: app.policiesOnly.url, rowSecurity: true },
  { mode: 'compiler only', url: app.url, rowSecurity: false },
] as const;

const at = (entity: Entity) => `/api/${entity.pack}/v1/${entity.plural}`;
const may = (person: WorldPerson, record: WorldRecord, field?: string, action = 'read') =>
  expectation.allows(person, action, record.entity, record, field);

/** Canaries in the text that are not for the person. */
function leaks(person: WorldPerson, text: string): readonly string[] {
  return world.records.flatMap((record) => {
    const all = [...[...record.canaries].map(([field, trace]) => ({ field, trace })), ...record.inside];
    return all
      .filter(({ field, trace }) => text.includes(trace) && !may(person, record, field))
      .map(({ field, trace }) => `${record.entity}.${field}: ${trace}`);
  });
}

/** Every text in an archive. */
function unzipped(archive: Buffer): string {
  const parts: string[] = [];
  const directory = archive.lastIndexOf(Buffer.from('504b0506', 'hex'));
  for (let place = archive.readUInt32LE(directory + 16); archive.readUInt32LE(place) === 0x02014b50; ) {
    const size = archive.readUInt32LE(place + 20);
    const local = archive.readUInt32LE(place + 42);
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const data = archive.subarray(from, from + size);
    parts.push((archive.readUInt16LE(place + 10) === 0 ? data : inflateRawSync(data)).toString());
    place +=
      46 + archive.readUInt16LE(place + 28) + archive.readUInt16LE(place + 30) + archive.readUInt16LE(place + 32);
  }
  return parts.join('\n');
}

let cases = 0;
afterAll(() => console.log(`channels: ${cases.toLocaleString('en')} cases`));

describe.each(MODES)('$mode', ({ mode, url, rowSecurity }) => {
  beforeAll(() => setRowSecurity(database, rowSecurity));
  afterAll(() => setRowSecurity(database, true));
  const ask = (person: WorldPerson, method: string, path: string, body?: unknown) => {
    cases++;
    const headers = { authorization: `Bearer ${person.token}`, 'content-type': 'application/json' };
    return fetch(url + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  };

  test('a workbook holds what a list would', async () => {
    for (const person of people) {
      for (const entity of world.entities) {
        const answer = await ask(person, 'GET', `${at(entity)}/$export?$format=xlsx`);
        const bytes = Buffer.from(await answer.arrayBuffer());
        if (answer.status >= 300) continue;
        const text = unzipped(bytes);
        expect(text).toContain('<row');
        expect(leaks(person, text), `${person.name} ${entity.name}`).toEqual([]);
      }
    }
  });

  test('a file goes out to whoever may read its field, and is a missing one to others', async () => {
    for (const person of people) {
      for (const record of specimens) {
        for (const field of ['scan', 'picture']) {
          const mark = record.canaries.get(field) ?? '';
          const answer = await ask(person, 'GET', `${at(specimen)}/${record.id}/files/${field}`);
          const text = await answer.text();
          expect(answer.status === 200, text).toBe(may(person, record, field));
          expect(text.includes(mark), text).toBe(may(person, record, field));
          expect(JSON.stringify([...answer.headers]).includes(mark)).toBe(may(person, record, field));
        }
      }
    }
  });

  test('a template is filled in with what may be read', async () => {
    for (const person of people) {
      for (const record of specimens) {
        const answer = await ask(person, 'POST', `${at(specimen)}/${record.id}/templates/label_of_specimen`, {});
        const text = await answer.text();
        expect(answer.status === 200, text).toBe(may(person, record));
        expect(leaks(person, text)).toEqual([]);
        if (!may(person, record)) continue;
        for (const field of ['name', 'secret'])
          expect(text.includes(record.canaries.get(field) ?? ''), field).toBe(may(person, record, field));
      }
    }
  });

  test('a figure is made of what may be read', async () => {
    for (const person of people) {
      const answer = await ask(person, 'GET', '/api/metrics/custom.longest_specimen');
      const text = await answer.text();
      const seen = specimens.filter((record) => may(person, record, 'length'));
      if (!expectation.knows(person, 'read', 'custom.specimen', 'length')) expect(answer.status, text).toBe(404);
      const longest = Math.max(0, ...seen.map(({ canaries }) => Number(canaries.get('length'))));
      if (answer.status === 200) expect(text.includes(String(longest)), text).toBe(longest > 0);
      expect(leaks(person, text)).toEqual([]);
    }
  });

  test('a rehearsal and a batch change nothing they may not, and nothing at all', async () => {
    for (const person of people) {
      for (const record of specimens) {
        const path = `${at(specimen)}/${record.id}`;
        const requests = ['name', 'plan'].map((field) => ({
          id: field,
          method: 'PATCH',
          path,
          body: { [field]: 'x' },
        }));
        cases += requests.length;
        const answer = await client(url, person.token).post(
          '/api/$batch',
          { atomic: false, requests },
          { prefer: 'tx=rollback' },
        );
        const found: readonly Record<string, unknown>[] = answer.json.data ?? [];
        expect(found.map(({ status }) => status === 200)).toEqual(
          ['name', 'plan'].map((field) => may(person, record, field, 'update')),
        );
        expect(leaks(person, answer.text)).toEqual([]);
      }
    }
    const { rows } = await database.superuser.query(
      `select from t_acme.custom_specimens where name = 'x' or plan = 'x'`,
    );
    expect(rows).toEqual([]);
  });

  test('events tell of what is seen, and of nothing else', { timeout: 60_000 }, async () => {
    const listeners = await Promise.all(people.map((person) => listen(url, person)));
    const admin = await app.as('acme', 'admin@acme.example');
    const own = specimens.filter(({ tenant }) => tenant === 'acme');
    // Another value each time: what changes nothing is no event.
    const stars = 1 + MODES.findIndex((one) => one.mode === mode);
    for (const { id } of own)
      expect((await admin.patch(`${at(specimen)}/${id}?$select=id`, { stars })).status).toBe(200);
    for (const [index, person] of people.entries()) {
      const listener = listeners[index];
      const expected = own.filter((record) => may(person, record)).map(({ id }) => id);
      cases++;
      await expect.poll(() => expected.every((id) => listener?.text().includes(id)), { timeout: 20_000 }).toBe(true);
    }
    for (const [index, person] of people.entries()) {
      const text = listeners[index]?.text() ?? '';
      expect(own.filter((record) => !may(person, record) && text.includes(record.id))).toEqual([]);
      expect(leaks(person, text)).toEqual([]);
      await listeners[index]?.close();
    }
  });
});

/** Listens to the events of specimens, once it is told that they begin. */
async function listen(url: string, person: WorldPerson) {
  const stop = new AbortController();
  const answer = await fetch(`${url}/api/$events?entities=custom.specimen`, {
    headers: { authorization: `Bearer ${person.token}` },
    signal: stop.signal,
  });
  let text = '';
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
  })().catch(() => null);
  if (answer.status === 200) await expect.poll(() => text.includes('ready'), { timeout: 20_000 }).toBe(true);
  return {
    text: () => text,
    close: async () => {
      stop.abort();
      await reading;
    },
  };
}

const EVERYWHERE = [
  ...world.entities.flatMap((entity) => [at(entity), `${at(entity)}/$export?$format=ndjson`, `${at(entity)}/$changes`]),
  `${at(specimen)}/${specimens[0]?.id}`,
  `${at(specimen)}/${specimens[0]?.id}/files/scan`,
  '/api/metrics',
  '/api/$events',
  '/api/ui/model',
  '/api/metadata/documents',
];

test('whoever is nobody is told nothing', async () => {
  for (const path of EVERYWHERE) {
    cases++;
    expect((await app.anonymous.get(path)).status, path).toBe(401);
  }
});

test('whoever is suspended, or has no role any more, is told nothing from then on', async () => {
  const admin = await app.as('acme', 'admin@acme.example');
  const someone = async (name: string) => {
    const person = world.people.find((one) => one.tenant === 'acme' && one.name === name);
    if (!person) throw new Error(`there is no ${name}`);
    expect((await client(app.url, person.token).get(at(specimen))).status).toBe(200);
    return person;
  };
  const suspended = await someone('help');
  await admin.patch(`/api/core/v1/users/${suspended.userId}`, { active: false });
  await expect.poll(async () => (await client(app.url, suspended.token).get('/api/session')).status).toBe(401);
  for (const path of EVERYWHERE) {
    cases++;
    expect((await client(app.url, suspended.token).get(path)).status, path).toBe(401);
  }
  const removed = await someone('rep_c');
  await admin.patch(`/api/core/v1/users/${removed.userId}`, { roles: [] });
  await expect.poll(async () => (await client(app.url, removed.token).get(at(specimen))).status).toBe(404);
  for (const path of EVERYWHERE) {
    if (path === '/api/$events') continue;
    const answer = await client(app.url, removed.token).get(path);
    cases++;
    const told = world.records.filter(({ canaries }) =>
      [...canaries.values()].some((one) => answer.text.includes(one)),
    );
    expect(told, path).toEqual([]);
  }
});
