/**
 * A dry run of every command (`Prefer: tx=rollback`) answers what the command answers, and leaves nothing behind:
 * compared is every row of every table, those of the jobs, the outbox and the gapless counters among them.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { qualified } from '#engine/db/identifiers.ts';
import { testApp } from '../support/app.ts';
import type { Answer } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTeam } from '../support/tenant.ts';

const database = await testDatabase();
const { superuser } = database;
const app = await testApp(database);
const { admin, north, person } = await makeTeam(app);
const boss = await person('boss', 'manager');
const rep = await person('rep', 'sales_rep');

const ACCOUNTS = '/api/crm/v1/accounts';
const QUOTES = '/api/crm/v1/quotes';
const DRY = { prefer: 'tx=rollback' };

interface Asked {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}
const ask = ({ method, path, body }: Asked, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
  if (method === 'DELETE') return boss.client.delete(path, headers);
  return method === 'POST' ? boss.client.post(path, body, headers) : boss.client.patch(path, body, headers);
};

const made = async (path: string, body: object): Promise<string> => {
  const { json, text } = await boss.client.post(path, body);
  if (!json.data) throw new Error(text);
  return json.data.id;
};
const deleted = async (path: string, body: object): Promise<string> => {
  const id = await made(path, body);
  await boss.client.delete(`${path}/${id}`);
  return id;
};

/** Where those who read on their own have got to, when they last looked, and when queues last did. */
const PASSING = new Set(['armature.outbox_position', 'armature.session', 'armature.login', 'bullmq.meta']);

/** All rows of all tables, as one digest for each. */
async function everything(): Promise<Record<string, string>> {
  const { rows: tables } = await superuser.query<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname in ('armature', 'bullmq', 't_acme') order by 1, 2`,
  );
  const found: Record<string, string> = {};
  for (const { schema, name } of tables) {
    if (PASSING.has(`${schema}.${name}`)) continue;
    const { rows } = await superuser.query<{ digest: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '') as digest from ${qualified(schema, name)} t`,
    );
    found[`${schema}.${name}`] = rows[0]?.digest ?? '';
  }
  return found;
}

/** What made the state ready is passed on to the jobs first. */
async function settled(): Promise<Record<string, string>> {
  for (let before = await everything(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    const now = await everything();
    if (JSON.stringify(now) === JSON.stringify(before)) return now;
    before = now;
  }
}

/** What may differ between two answers to the same question: ids that are drawn, and moments. */
const comparable = ({ status, headers, text }: Answer) => ({
  status,
  location: headers.get('location')?.replace(/[0-9a-f-]{36}$/, 'ID'),
  version: /^"v\d+/.exec(headers.get('etag') ?? '')?.[0],
  body: text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+\+00:00/g, 'AT')
    .replaceAll(/\\"v(\d+)\.[\w-]+\\"/g, '$1')
    .replaceAll(/,?"preference-applied":"[^"]*"/g, ''),
});

/** Answers the command itself gives afterwards. @param ids what is drawn, out of an answer */
async function triedThenDone(asked: Asked, drawn: (answer: Answer) => readonly string[] = () => []): Promise<Answer> {
  const before = await settled();
  const key = { 'idempotency-key': crypto.randomUUID() };
  const tried = await ask(asked, { ...DRY, ...key });
  expect(tried.headers.get('preference-applied'), tried.text).toContain('tx=rollback');
  expect(await settled()).toEqual(before);
  const done = await ask(asked, key);
  expect(done.headers.get('idempotency-replayed')).toBeNull();
  const anonymous = (answer: Answer) =>
    drawn(answer).reduce((text, id) => text.replaceAll(id, 'ID'), JSON.stringify(comparable(answer)));
  expect(anonymous(tried)).toBe(anonymous(done));
  expect(await settled()).not.toEqual(before);
  return done;
}

const dataId = ({ json }: Answer): string[] => (json.data ? [json.data.id] : []);

describe('a dry run of', () => {
  let id = '';
  let other = '';
  beforeEach(async () => {
    id = await made(ACCOUNTS, { name: `Fir ${crypto.randomUUID()}` });
    other = await made(ACCOUNTS, { name: `Elm ${crypto.randomUUID()}`, phone: '+493012345678' });
  });

  test('assigning', async () => {
    const done = await triedThenDone({
      method: 'POST',
      path: `${ACCOUNTS}/${id}/actions/assign`,
      body: { owner: rep.id },
    });
    expect(done.json.data).toMatchObject({ owner: rep.id, version: 2 });
  });

  test('sharing and ending a share', async () => {
    const path = `${ACCOUNTS}/${id}/shares`;
    const done = await triedThenDone(
      { method: 'POST', path, body: { user: rep.id, level: 'read', reason: 'Holidays' } },
      dataId,
    );
    expect(done.status).toBe(201);
    const ended = await triedThenDone({ method: 'DELETE', path: `${path}/${done.json.data?.id}` });
    expect(ended.status).toBe(204);
  });

  test('merging', async () => {
    const body = { from: [other], fields: { name: other } };
    const done = await triedThenDone({ method: 'POST', path: `${ACCOUNTS}/${id}/merge`, body });
    expect(done.json.data).toMatchObject({ id, phone: '+493012345678', version: 2 });
    expect((await boss.client.get(`${ACCOUNTS}/${other}`)).status).toBe(308);
  });

  test('restoring and purging out of the bin', async () => {
    const ids = [await deleted(ACCOUNTS, { name: 'Ash' }), await deleted(ACCOUNTS, { name: 'Oak' })];
    const [first, second] = ids;
    const one = await triedThenDone({ method: 'POST', path: `${ACCOUNTS}/${first}/actions/restore` });
    expect([one.status, one.json.data?.['name']]).toEqual([200, 'Ash']);
    expect((await triedThenDone({ method: 'POST', path: `${ACCOUNTS}/bin`, body: { restore: [second] } })).status).toBe(
      204,
    );
    for (const each of ids) await boss.client.delete(`${ACCOUNTS}/${each}`);
    expect((await triedThenDone({ method: 'POST', path: `${ACCOUNTS}/${first}/actions/purge` })).status).toBe(204);
    expect((await triedThenDone({ method: 'POST', path: `${ACCOUNTS}/bin`, body: { purge: [second] } })).status).toBe(
      204,
    );
    expect((await superuser.query('select from t_acme.crm_accounts where id = any($1)', [ids])).rowCount).toBe(0);
  });

  test('changing, assigning and deleting by filter', async () => {
    const path = `${ACCOUNTS}?id[in]=${id},${other}`;
    const order = { affected: 2 };
    const changed = await triedThenDone({ method: 'PATCH', path, body: { phone: '+493011111111' } });
    expect(changed.json.data).toMatchObject(order);
    const assign = `${ACCOUNTS}/$actions/assign`;
    const body = { where: { id: { in: [id, other] } }, set: { owner: rep.id } };
    expect((await triedThenDone({ method: 'POST', path: assign, body })).json.data).toMatchObject(order);
    expect((await triedThenDone({ method: 'DELETE', path })).json.data).toMatchObject(order);
  });

  test('numbers without gaps: the one it shows is the next one all the same', async () => {
    const body = { name: 'Beech', account: id };
    const first = await triedThenDone({ method: 'POST', path: QUOTES, body }, dataId);
    const second = await triedThenDone({ method: 'POST', path: QUOTES, body }, dataId);
    const [one, two] = [first, second].map(({ json }) => Number(/\d+$/.exec(String(json.data?.['number']))?.[0]));
    expect(two).toBe((one ?? 0) + 1);
  });

  test.each([true, false])('a batch of all of them, atomic: %s', async (atomic) => {
    const gone = [await deleted(ACCOUNTS, { name: 'Ash' }), await deleted(ACCOUNTS, { name: 'Oak' })];
    const sixth = await made(ACCOUNTS, { name: `Yew ${crypto.randomUUID()}` });
    const third = await made(ACCOUNTS, { name: `Yew ${crypto.randomUUID()}` });
    const fifth = await made(ACCOUNTS, { name: `Rue ${crypto.randomUUID()}` });
    const fourth = await made(ACCOUNTS, { name: `Box ${crypto.randomUUID()}` });
    // Each about records of its own: those of a batch that is not atomic know nothing of each other when nothing is kept.
    const requests = [
      { id: 'number', method: 'POST', path: QUOTES, body: { name: 'Beech', account: id } },
      { id: 'share', method: 'POST', path: `${ACCOUNTS}/${fourth}/shares`, body: { user: rep.id, level: 'write' } },
      { id: 'assign', method: 'POST', path: `${ACCOUNTS}/${fifth}/actions/assign`, body: { owner: rep.id } },
      { id: 'merge', method: 'POST', path: `${ACCOUNTS}/${id}/merge`, body: { from: [other] } },
      { id: 'restore', method: 'POST', path: `${ACCOUNTS}/${gone[0]}/actions/restore` },
      { id: 'purge', method: 'POST', path: `${ACCOUNTS}/bin`, body: { purge: [gone[1]] } },
      { id: 'many', method: 'PATCH', path: `${ACCOUNTS}?id[in]=${third}`, body: { phone: '+493011111111' } },
      { id: 'none', method: 'DELETE', path: `${ACCOUNTS}?id[in]=${sixth}` },
    ];
    const parts = ({ json }: Answer): readonly { status: number; body: { data?: { id?: string } } | null }[] =>
      JSON.parse(JSON.stringify(json.data));
    const done = await triedThenDone({ method: 'POST', path: '/api/$batch', body: { atomic, requests } }, (answer) =>
      parts(answer)
        .slice(0, 2)
        .flatMap((part) => part?.body?.data?.id ?? []),
    );
    expect(parts(done).map(({ status }) => status)).toEqual([201, 201, 200, 200, 200, 204, 200, 200]);
  });

  test('a refused command says why, as the command does, and keeps nothing either', async () => {
    const before = await settled();
    const refused: readonly [Asked, string][] = [
      [{ method: 'POST', path: `${ACCOUNTS}/${id}/actions/assign`, body: { owner: north } }, 'invalid'],
      [{ method: 'POST', path: `${ACCOUNTS}/${id}/shares`, body: { user: north, level: 'read' } }, 'invalid'],
      [{ method: 'POST', path: `${ACCOUNTS}/${id}/merge`, body: { from: [north] } }, 'invalid'],
      [{ method: 'POST', path: `${ACCOUNTS}/${id}/actions/purge` }, 'not_found'],
      [{ method: 'POST', path: `${ACCOUNTS}/bin`, body: { restore: [id] } }, 'not_found'],
    ];
    for (const [asked, code] of refused) {
      const [tried, done] = [await ask(asked, DRY), await ask(asked)];
      expect(tried.json.code, tried.text).toBe(code);
      expect([tried.status, tried.json.errors]).toEqual([done.status, done.json.errors]);
    }
    expect(await settled()).toEqual(before);
  });

  test('a password is refused: it cannot be set on trial', async () => {
    const path = `/api/core/v1/users/${rep.id}/actions/set_password`;
    const before = await superuser.query('select * from armature.login');
    const tried = await admin.post(path, { password: 'a long new password' }, DRY);
    expect([tried.status, tried.json.errors?.[0]?.parameter]).toEqual([400, 'Prefer']);
    expect((await superuser.query('select * from armature.login')).rows).toEqual(before.rows);
  });
});
