/** The change feed and the events: everything that changed for somebody, and nothing that did not. */
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { keepHouse } from '#engine/housekeeping.ts';
import type { Client } from '../support/http.ts';
import { testApp } from '../support/app.ts';
import { settled as settledIn } from '../support/outbox.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

// Transactions of the server's own jobs hold the feed back.
vi.setConfig({ testTimeout: 300_000 });
const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
await makeTenant(app, 'other');
const admin = await app.as('acme', 'admin@acme.example');
const stranger = await app.as('other', 'admin@other.example');
const LEADS = '/api/crm/v1/leads';
const FEED = `${LEADS}/$changes`;

let ann: Client;
let bob: Client;
let annId: string;
let bobId: string;
let adminId: string;
beforeAll(async () => {
  const documents = [
    { kind: 'role', key: 'own', label: 'Own', inherits: ['member'] },
    {
      kind: 'permission',
      role: 'own',
      entity: 'crm.lead',
      actions: ['read', 'create', 'update', 'delete'],
      conditions: { owner: 'self' },
    },
  ];
  const published = await admin.post('/api/metadata/publish', { base: 1, message: 'Roles', documents });
  expect(published.status, published.text).toBe(201);
  annId = (await hire(admin, { name: 'Ann', email: 'ann@acme.example', roles: ['own'] })).id;
  bobId = (await hire(admin, { name: 'Bob', email: 'bob@acme.example', roles: ['own'] })).id;
  adminId = (await admin.get('/api/core/v1/users?email=admin@acme.example')).json.data?.[0]?.id ?? '';
  ann = await app.as('acme', 'ann@acme.example');
  bob = await app.as('acme', 'bob@acme.example');
});

interface Item {
  readonly kind: string;
  readonly reason?: string;
  readonly id: string;
  readonly version: number;
  readonly entity: string;
}

const settled = () => settledIn(database);

/** Everything since a token. */
async function follow(
  client: Client,
  since: string,
  first = 100,
  wait = true,
): Promise<{ items: Item[]; next: string; pages: number[] }> {
  if (wait) await settled();
  const items: Item[] = [];
  const pages: number[] = [];
  for (let next = since; ; ) {
    const { json, status, text } = await client.get(`${FEED}?since=${next}&$first=${first}`);
    expect(status, text).toBe(200);
    const data = json.data as unknown as Item[];
    items.push(...data);
    pages.push(data.length);
    next = String(json['next']);
    if (json['hasMore'] !== true) return { items, next, pages };
  }
}
const start = async (client: Client): Promise<string> => {
  await settled();
  return String((await client.get(FEED)).json['next']);
};
const make = async (client: Client, name: string): Promise<string> => {
  const { json, text } = await client.post(LEADS, { last_name: name, company: 'Fictional' });
  if (!json.data) throw new Error(text);
  return json.data.id;
};
/** Hands a record over; assigning has no route yet. */
const give = (id: string, owner: string) =>
  database.superuser.query('update t_acme.crm_leads set owner = $1 where id = $2', [owner, id]);
const brief = (items: readonly Item[]) =>
  items.map(({ kind, reason, id }) => [kind, reason, id].filter(Boolean).join(' '));

describe('the feed', () => {
  test('an open transaction of this database holds it back, one of another does not', async () => {
    const since = await start(ann);
    const { superuser, address, admin: account } = database;
    const [here, elsewhere] = [address.database, 'postgres'].map(
      (name) => new pg.Client({ ...address, ...account, database: name }),
    );
    for (const client of [here, elsewhere]) await client?.connect();
    try {
      await elsewhere?.query('begin; select pg_current_xact_id()');
      const id = await make(ann, 'Not held');
      await settled();
      expect(brief((await follow(ann, since, 100, false)).items)).toEqual([`upsert ${id}`]);
      await here?.query('begin; select pg_current_xact_id()');
      const later = await make(ann, 'Held');
      const { items, next } = await follow(ann, since, 100, false);
      expect(brief(items)).toEqual([`upsert ${id}`]);
      await here?.query('commit');
      expect(brief((await follow(ann, next)).items)).toEqual([`upsert ${later}`]);
      // Without the right to see other sessions, all databases count.
      const open = await elsewhere?.query('select pg_current_xact_id()::text as xid');
      await superuser.query('begin; revoke pg_read_all_stats from armature_owner');
      const { rows } = await superuser.query('select armature.outbox_horizon()::text as xid');
      await superuser.query('rollback');
      expect(BigInt(rows[0]?.xid)).toBeLessThanOrEqual(BigInt(open?.rows[0]?.xid));
    } finally {
      for (const client of [here, elsewhere]) await client?.end();
    }
  });

  test('tells what was made, changed and deleted, each record once, with the version it has now', async () => {
    const since = await start(ann);
    const [one, two, three] = [await make(ann, 'One'), await make(ann, 'Two'), await make(ann, 'Three')];
    await ann.patch(`${LEADS}/${one}`, { last_name: 'Uno' });
    await ann.delete(`${LEADS}/${two}`);
    const { items, next } = await follow(ann, since);
    expect(brief(items)).toEqual([`upsert ${one}`, `removed deleted ${two}`, `upsert ${three}`]);
    expect(items[0]).toMatchObject({ version: 2, entity: 'crm.lead' });
    expect(Object.keys(items[0] ?? {}).sort()).toEqual(['at', 'entity', 'id', 'kind', 'version']);
    expect((await follow(ann, next)).items).toEqual([]);
    await ann.post(`${LEADS}/${two}/actions/restore`);
    expect(brief((await follow(ann, next)).items)).toEqual([`upsert ${two}`]);
  });

  test('tells those who saw a record that it is gone from their sight, and nobody else', async () => {
    const [annSince, bobSince] = [await start(ann), await start(bob)];
    const id = await make(ann, 'Moving');
    expect(brief((await follow(ann, annSince)).items)).toEqual([`upsert ${id}`]);
    const mid = (await follow(ann, annSince)).next;
    expect((await follow(bob, bobSince)).items).toEqual([]);
    await give(id, bobId);
    expect(brief((await follow(ann, mid)).items)).toEqual([`removed changed ${id}`]);
    expect(brief((await follow(bob, bobSince)).items)).toEqual([`upsert ${id}`]);
    const after = (await follow(ann, mid)).next;
    // What happens to it afterwards is not hers to know.
    await bob.patch(`${LEADS}/${id}`, { last_name: 'Elsewhere' });
    await bob.delete(`${LEADS}/${id}`);
    expect((await follow(ann, after)).items).toEqual([]);
    // Nor is it when all of it is told at once.
    const { items } = await follow(ann, mid);
    expect(items).toMatchObject([{ kind: 'removed', id, version: 2 }]);
    const admins = await follow(admin, await start(admin));
    expect(admins.items).toEqual([]);
  });

  test('tells whom a record was shared with that it is purged, and nobody else', async () => {
    const id = await make(admin, 'Shared');
    const given = await admin.post(`${LEADS}/${id}/shares`, { user: annId, level: 'read' });
    expect(given.status, given.text).toBe(201);
    const [annSince, bobSince] = [await start(ann), await start(bob)];
    await admin.delete(`${LEADS}/${id}`);
    expect((await admin.post(`${LEADS}/bin`, { purge: [id] })).status).toBe(204);
    expect(brief((await follow(ann, annSince)).items).at(-1)).toBe(`removed changed ${id}`);
    expect((await follow(bob, bobSince)).items).toEqual([]);
  });

  test('what somebody could never see leaves no trace: not in items, nor in pages, nor in the tokens', async () => {
    const world = async (hidden: boolean) => {
      const since = await start(ann);
      const ids: string[] = [];
      for (let round = 0; round < 4; round++) {
        ids.push(await make(ann, `Seen ${round}`));
        if (!hidden) continue;
        const secret = await make(bob, 'Secret');
        await bob.patch(`${LEADS}/${secret}`, { last_name: 'Secret too' });
        // From one who is not Ann to another.
        await give(secret, adminId);
        await give(secret, bobId);
        await bob.delete(`${LEADS}/${secret}`);
        await admin.post(LEADS, [
          { last_name: 'A', company: 'B' },
          { last_name: 'C', company: 'D' },
        ]);
        await stranger.post(LEADS, { last_name: 'Elsewhere', company: 'X' });
      }
      const { items, pages, next } = await follow(ann, since, 2);
      const idle = await ann.get(`${FEED}?since=${next}`);
      return {
        pages,
        kinds: items.map(({ kind, id }) => [kind, ids.indexOf(id)]),
        length: next.length,
        idle: idle.text.length,
      };
    };
    expect(await world(true)).toEqual(await world(false));
  });

  test('a token says nothing, belongs to one person, and dies with their rights', async () => {
    const since = await start(ann);
    const again = await start(ann);
    expect(since).not.toBe(again);
    expect(since.length).toBe(again.length);
    expect((await bob.get(`${FEED}?since=${since}`)).json).toMatchObject({ code: 'invalid_cursor' });
    expect((await stranger.get(`${FEED}?since=${since}`)).json).toMatchObject({ code: 'invalid_cursor' });
    const flipped = `${since.slice(0, -4)}${since.at(-4) === 'A' ? 'B' : 'A'}${since.slice(-3)}`;
    expect((await ann.get(`${FEED}?since=${flipped}`)).json).toMatchObject({ code: 'invalid_cursor' });
    expect((await ann.get(`${FEED}?since=`)).status).toBe(400);
    for (const other of [
      '/api/$changes?entities=crm.lead,core.team',
      '/api/$changes?',
      '/api/core/v1/users/$changes?',
    ]) {
      const { status, json } = await ann.get(`${other}&since=${since}`);
      expect([status, json.code, json.detail], other).toEqual([
        400,
        'invalid_cursor',
        expect.stringContaining('another choice of entities'),
      ]);
    }
    await admin.patch(`/api/core/v1/users/${bobId}`, { department: 'Elsewhere' });
    const bobs = await start(bob);
    const users = await admin.patch(`/api/core/v1/users/${bobId}`, { roles: ['member'] });
    expect(users.status, users.text).toBe(200);
    expect((await bob.get(`${FEED}?since=${bobs}`)).status).toBeGreaterThanOrEqual(403);
    await admin.patch(`/api/core/v1/users/${bobId}`, { roles: ['own'] });
  });

  test('over several entities, each only as far as it may be read', async () => {
    await settled();
    const { json } = await ann.get('/api/$changes');
    const since = String(json['next']);
    const id = await make(ann, 'Across');
    await settled();
    const page = await ann.get(`/api/$changes?since=${since}`);
    expect(brief(page.json.data as unknown as Item[])).toEqual([`upsert ${id}`]);
    const hidden = await ann.get('/api/$changes?entities=crm.opportunity');
    const missing = await ann.get('/api/$changes?entities=crm.opportunitx');
    expect(hidden.status).toBe(400);
    expect(missing.text.replaceAll('opportunitx', 'opportunity').replace(/"instance":"[^"]*"/, '')).toBe(
      hidden.text.replace(/"instance":"[^"]*"/, ''),
    );
  });

  test('a commit that comes late is not passed over', async () => {
    const since = await start(admin);
    const late = new pg.Client({ ...database.address, ...database.admin });
    await late.connect();
    await late.query('begin');
    const { rows } = await late.query(
      `insert into t_acme.crm_leads (id, last_name, company, owner) values (gen_random_uuid(), 'Late', 'X', $1) returning id`,
      [annId],
    );
    const quick = await make(ann, 'Quick');
    const first = await follow(admin, since, 100, false);
    await late.query('commit');
    await late.end();
    const second = await follow(admin, first.next);
    expect(brief([...first.items, ...second.items]).sort()).toEqual([`upsert ${rows[0].id}`, `upsert ${quick}`].sort());
  });

  test('says that a token is too old when what happened since is deleted', async () => {
    const since = await start(ann);
    await make(ann, 'Old');
    await keepHouse({
      database: app.app.services.database,
      clock: { now: () => Date.now() + 8 * 24 * 3_600_000 },
      files: app.app.services.files,
    });
    // The process that keeps sign-ins must have read it first.
    await vi.waitFor(
      async () => {
        await keepHouse({ ...app.app.services, clock: { now: () => Date.now() + 8 * 24 * 3_600_000 } });
        const answer = await ann.get(`${FEED}?since=${since}`);
        expect([answer.status, answer.json.code]).toEqual([410, 'gone']);
      },
      { timeout: 60_000, interval: 100 },
    );
    ann = await app.as('acme', 'ann@acme.example');
  });
});

/** Listens; answers what came so far. */
function listen(token: string, query = 'entities=crm.lead', headers: Record<string, string> = {}) {
  const events: { event: string; id: string; data: { data?: Item[]; reason?: string } }[] = [];
  const state = { status: 0, ended: false, events, close: () => {} };
  const call = request(
    `${app.url}/api/$events?${query}`,
    { headers: { authorization: `Bearer ${token}`, ...headers } },
    (answer) => {
      state.status = answer.statusCode ?? 0;
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const part = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
          if (part('event')) events.push({ event: part('event'), id: part('id'), data: JSON.parse(part('data')) });
        }
      });
      answer.on('close', () => {
        state.ended = true;
      });
      answer.on('error', () => {});
    },
  );
  call.on('error', () => {});
  call.end();
  state.close = () => call.destroy();
  return state;
}
const until = async (what: () => boolean, most = 30_000) => {
  const started = Date.now();
  while (!what()) {
    if (Date.now() - started > most) throw new Error('it did not happen');
    await delay(10);
  }
  return Date.now() - started;
};
const tokenOf = async (email: string) =>
  (await app.app.services.identity.issueToken({ tenant: 'acme', user: { email } })).token;
const told = (stream: ReturnType<typeof listen>) =>
  stream.events.filter(({ event }) => event === 'change').flatMap(({ data }) => brief(data.data ?? []));

/** Listens, and goes again. @returns where that was */
async function standing(token: string): Promise<string> {
  const stream = listen(token);
  await until(() => stream.events.length > 0);
  stream.close();
  return stream.events.at(-1)?.id ?? '';
}

describe('events', () => {
  test('reach those who see the record, at once, and nobody else', async () => {
    const [anns, bobs] = [listen(await tokenOf('ann@acme.example')), listen(await tokenOf('bob@acme.example'))];
    await until(() => [anns, bobs].every(({ events }) => events[0]?.event === 'ready'));
    const id = await make(ann, 'Live');
    const waited = await until(() => told(anns).length > 0);
    expect(told(anns)).toEqual([`upsert ${id}`]);
    console.log(`an event took ${waited} ms`);
    await give(id, bobId);
    await until(() => told(anns).length > 1 && told(bobs).length > 0);
    expect(told(anns)[1]).toBe(`removed changed ${id}`);
    expect(told(bobs)).toEqual([`upsert ${id}`]);
    await bob.delete(`${LEADS}/${id}`);
    await until(() => told(bobs).length > 1);
    expect(told(anns)).toHaveLength(2);
    anns.close();
    bobs.close();
  });

  test('go on where somebody stood', async () => {
    const token = await tokenOf('ann@acme.example');
    const last = await standing(token);
    const id = await make(ann, 'While away');
    const second = listen(token, 'entities=crm.lead', { 'last-event-id': last });
    await until(() => second.events.some(({ event }) => event === 'ready') && told(second).length > 0);
    expect(told(second)).toEqual([`upsert ${id}`]);
    const more = await make(ann, 'Back again');
    await until(() => told(second).length > 1);
    expect(told(second)).toEqual([`upsert ${id}`, `upsert ${more}`]);
    second.close();
    const lost = listen(token, 'entities=crm.lead', { 'last-event-id': 'nonsense' });
    await until(() => lost.events.length > 1);
    expect(lost.events.map(({ event }) => event)).toEqual(['reset', 'ready']);
    lost.close();
  });

  test('tell nothing twice of what is committed while the past is told', async () => {
    const token = await tokenOf('ann@acme.example');
    const last = await standing(token);
    const holder = new pg.Client({ ...database.address, ...database.admin });
    await holder.connect();
    await holder.query('begin; select pg_current_xact_id()');
    const id = await make(ann, 'Held back');
    const { changes } = app.app.services;
    const read = changes.read.bind(changes);
    // Whoever comes listens already, and what was held back can be told from now on.
    const past = vi.spyOn(changes, 'read').mockImplementationOnce(async (...asked) => {
      await holder.end();
      await settled();
      return read(...asked);
    });
    const second = listen(token, 'entities=crm.lead', { 'last-event-id': last });
    await until(() => told(second).length > 0);
    past.mockRestore();
    const more = await make(ann, 'Afterwards');
    await until(() => told(second).includes(`upsert ${more}`));
    expect(told(second)).toEqual([`upsert ${id}`, `upsert ${more}`]);
    second.close();
  });

  test('end within two seconds when the session or the rights do', async () => {
    const { identity } = app.app.services;
    const looks = vi.spyOn(identity, 'authenticate');
    const pauses = vi.spyOn(globalThis, 'setTimeout');
    const token = await tokenOf('ann@acme.example');
    const stream = listen(token);
    await until(() => stream.events.length > 0);
    await identity.signOut(token);
    looks.mockClear();
    await until(() => stream.ended);
    expect(stream.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'session' } });
    // At the first look, and looks are a second apart: how long a busy machine takes for one says nothing of it.
    const asked = (of: string) => looks.mock.calls.filter(([one]) => one === of).length;
    expect(asked(token)).toBeLessThanOrEqual(1);
    expect(pauses.mock.calls.map(([, milliseconds]) => milliseconds)).toContain(1000);
    pauses.mockRestore();

    const bobs = await tokenOf('bob@acme.example');
    const demoted = listen(bobs);
    await until(() => demoted.events.length > 0);
    await admin.patch(`/api/core/v1/users/${bobId}`, { roles: ['member'] });
    looks.mockClear();
    await until(() => demoted.ended);
    expect(demoted.events.at(-1)).toMatchObject({ event: 'reset' });
    expect(asked(bobs)).toBeLessThanOrEqual(1);
    looks.mockRestore();
    await admin.patch(`/api/core/v1/users/${bobId}`, { roles: ['own'] });
  });

  test('are limited for one person, and refused to other sites', async () => {
    const token = await tokenOf('ann@acme.example');
    // Streams that were closed a moment ago count until the server has noticed.
    await vi.waitFor(async () => {
      const streams = Array.from({ length: 13 }, () => listen(token));
      await until(() => streams.every(({ status }) => status > 0));
      for (const stream of streams) stream.close();
      expect(streams.map(({ status }) => status).filter((status) => status === 429)).toHaveLength(1);
    }, 30_000);
    const foreign = listen(token, '', { origin: 'https://evil.example' });
    await until(() => foreign.status > 0);
    expect(foreign.status).toBe(403);
    expect((await app.anonymous.get('/api/$events')).status).toBe(401);
  });
});
