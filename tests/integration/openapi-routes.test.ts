/**
 * Every operation of the OpenAPI document is called as the document says, and once wrongly: the status is a described
 * one, the body is as its schema says and says nothing more. The requests are made from the document's own examples.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { testApp } from '#tests/support/app.ts';
import { BERTHS } from '#tests/support/berths.ts';
import type { Client } from '#tests/support/http.ts';
import { ApiDocument, type ApiOperation, isObject } from '#tests/support/openapi.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { hire, makeTenant } from '#tests/support/tenant.ts';

const app = await testApp(await testDatabase());
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
await admin.post('/api/metadata/publish', { base: 1, message: 'Berths', documents: BERTHS });
const { json: document } = await admin.get('/api/openapi.json');
const api = new ApiDocument(document);
const EXAMPLE_ID = '01900000-0000-7000-8000-000000000001';
const UNKNOWN_ID = '01900000-0000-7000-8000-00000000ffff';
const PASSWORD = 'a-long-password-for-tests';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly raw?: string | FormData;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose request it is; the administrator's without. */
  readonly by?: Client;
}

let counter = 0;
let colleague = '';
/** Somebody whose sign-in and password may be played with. */
let spare = '';

beforeAll(async () => {
  colleague = (await hire(admin, { name: 'Cleo Colleague', email: 'cleo@acme.example', roles: ['manager'] })).id;
  spare = (await hire(admin, { name: 'Sven Spare', email: 'sven@acme.example', roles: ['sales_rep'] })).id;
  const set = await admin.post(`/api/core/v1/users/${spare}/actions/set_password`, { password: PASSWORD });
  expect(set.status).toBe(204);
});

/** `/api/crm/v1/leads/{id}/shares` → `/api/crm/v1/leads`, `{id}/shares`; the rest `null` beside the entities. */
function parted(path: string): { readonly url: string; readonly rest: string | null } {
  const [, url = path, rest = ''] = /^(\/api\/\w+\/v1\/[^/]+)(?:\/(.*))?$/.exec(path) ?? [];
  return { url, rest: url === path && !/\/v1\//.test(path) ? null : rest };
}

const find = (method: string, path: string): ApiOperation | undefined =>
  api.operations.find((one) => one.method === method && one.path === path);

/** The record's schema tells which entity a reference leads to. */
function targetOf(url: string, key: string): string | undefined {
  const name = find('GET', url)?.operation['tags'];
  const schema = api.follow({ $ref: `#/components/schemas/${String(Array.isArray(name) ? name[0] : '')}` });
  const property = isObject(schema) && isObject(schema['properties']) ? JSON.stringify(schema['properties'][key]) : '';
  return /#\/components\/schemas\/([a-z0-9_]+\.[a-z0-9_]+)"/.exec(property)?.[1];
}

function urlOf(entity: string): string | undefined {
  return api.operations.find(
    ({ method, path, operation }) =>
      method === 'GET' && parted(path).rest === '' && JSON.stringify(operation['tags']) === JSON.stringify([entity]),
  )?.path;
}

/** The example with what is only an example made real: ids of records there are, and texts nobody has used. */
async function realized(url: string, example: unknown): Promise<Record<string, unknown>> {
  const made: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(isObject(example) ? example : {})) {
    counter += 1;
    if (value === EXAMPLE_ID) {
      const entity = key === 'owner' ? undefined : targetOf(url, key);
      const target = entity === undefined ? undefined : urlOf(entity);
      made[key] = target === undefined || entity === 'core.user' ? colleague : await createdAt(target);
    } else if (typeof value === 'string' && /@/.test(value)) made[key] = `p${counter}@acme.example`;
    else if (typeof value === 'string' && /^[A-Z].{3}/.test(value)) made[key] = `${value} ${counter}`;
    else made[key] = value;
  }
  return made;
}

/** A new record's body as the document's example has it, with the fields that the entity's own rules ask for besides. */
async function newBody(url: string): Promise<Record<string, unknown>> {
  const operation = find('POST', url);
  const made = await realized(url, operation?.example);
  const { json } = await admin.post(url, made, { prefer: 'tx=rollback' });
  const [broken] = json.errors ?? [];
  const key = broken?.pointer?.slice(1);
  if (broken?.code !== 'rule' || key === undefined) return made;
  return { ...made, ...(await realized(url, { [key]: EXAMPLE_ID })) };
}

/** A new record, made as the document says. */
async function createdAt(url: string): Promise<string> {
  const answer = await admin.post(url, await newBody(url));
  expect([url, answer.status, answer.json.errors]).toEqual([url, 201, undefined]);
  return answer.json.data?.id ?? '';
}

async function tagOf(url: string, id: string): Promise<Record<string, string>> {
  const { headers } = await admin.get(`${url}/${id}`);
  const tag = headers.get('etag');
  return tag === null ? {} : { 'if-match': tag };
}

function csv(): FormData {
  const form = new FormData();
  form.set('file', new File(['Name,Note\nOne,First\nTwo,Second\n'], 'things.csv', { type: 'text/csv' }));
  return form;
}

async function imported(url: string): Promise<string> {
  const answer = await admin.send('POST', `${url}/imports`, csv());
  expect([url, answer.status, answer.text]).toEqual([url, 201, answer.text]);
  return answer.json.data?.id ?? '';
}

/** What the request of each kind of route needs beside the document's example. */
async function requestOf(one: ApiOperation): Promise<Sent> {
  const { method, path, example } = one;
  const { url, rest } = parted(path);
  if (rest === null) return elsewhere(one);
  const send = (at: string, more: Partial<Sent> = {}): Sent => ({ method, path: at, ...more });
  const [first = '', second = '', third = ''] = rest.split('/');
  if (first === 'imports') {
    if (second === '') return send(path, { raw: csv() });
    const at = path.replace('{import}', await imported(url));
    if (third === 'start') {
      const [field = 'name'] = Object.keys(await realized(url, find('POST', url)?.example));
      await admin.patch(at.replace('/start', ''), { mapping: { Name: field } });
    }
    return send(at, method === 'GET' ? {} : { body: example });
  }
  if (first === '$files') return send(`${path}?name=plan.txt`, { raw: 'Two metres at low tide.' });
  if (first === 'by') {
    counter += 1;
    const example = one.parameters.find(({ name }) => name === 'value')?.['example'];
    const value = /@/.test(String(example)) ? `key${counter}@acme.example` : `Key-${counter}`;
    const at = path.replace('{value}', value);
    if (method === 'PUT') return send(at, { body: await realized(url, one.example) });
    const body = { ...(await realized(url, find('POST', url)?.example)), [second]: value };
    expect((await admin.post(url, body)).status).toBe(201);
    return send(at);
  }
  if (first === 'bin') {
    const id = await createdAt(url);
    await admin.delete(`${url}/${id}`, await tagOf(url, id));
    return send(path, { body: { restore: [id] } });
  }
  if (first === '' && method === 'POST') return send(path, { body: await newBody(url) });
  if (!rest.startsWith('{id}')) {
    const id = method === 'GET' || first === '$query' || first === '$export' ? null : await createdAt(url);
    if (id === null) return send(path, example === undefined ? {} : { body: example });
    if (first === '$duplicates') return send(path, { body: await realized(url, example) });
    const text = JSON.stringify(example).replaceAll(EXAMPLE_ID, id);
    const body: unknown = JSON.parse(text);
    const required = first === '$actions' ? await needed(url, second) : {};
    return send(path, {
      body:
        isObject(body) && isObject(body['set'])
          ? { ...body, set: required ?? body['set'], ...(first === '' && { set: body['set'] }) }
          : body,
    });
  }
  const id = await createdAt(url);
  const at = path.replace('{id}', id);
  const headers = method === 'GET' ? {} : await tagOf(url, id);
  if (second === 'merge') return send(at, { headers, body: { from: [await createdAt(url)] } });
  if (second === 'shares' && method === 'POST') return send(at, { body: { user: colleague, level: 'read' } });
  if (second === 'shares' && third !== '') {
    const shared = await admin.post(`${url}/${id}/shares`, { user: colleague, level: 'read' });
    return send(at.replace('{share}', shared.json.data?.id ?? ''));
  }
  if (second === 'files') {
    const file = await admin.send('POST', `${url}/$files?name=plan.txt`, 'Two metres.');
    await admin.patch(`${url}/${id}`, { [third]: file.json.data?.id }, headers);
    return send(at);
  }
  if (third === 'set_password') return send(path.replace('{id}', spare), { body: { password: PASSWORD } });
  if (third === 'restore' || third === 'purge') {
    await admin.delete(`${url}/${id}`, headers);
    return send(at, { headers: { 'if-match': '*' } });
  }
  if (third === 'assign') return send(at, { headers, body: { owner: colleague } });
  if (second === 'actions') return send(at, { headers, body: await needed(url, third) });
  return send(at, { headers, ...(example !== undefined && { body: await realized(url, example) }) });
}

/** What a step needs, from what it says is missing; what is not possible from the first state stays so. */
async function needed(url: string, action: string): Promise<Record<string, unknown>> {
  const id = await createdAt(url);
  const { json } = await admin.post(`${url}/${id}/actions/${action}`, {});
  const names = (json.errors ?? []).flatMap(({ code, pointer }) =>
    code === 'required' && pointer !== undefined ? [pointer.slice(1)] : [],
  );
  const schema = api.follow({
    $ref: `#/components/schemas/${String(find('GET', url)?.operation['tags']).split(',')[0]}.update`,
  });
  const properties = isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {};
  const entries = names.map((name) => {
    const property = properties[name];
    const examples = isObject(property) ? property['examples'] : undefined;
    return [name, Array.isArray(examples) ? examples[0] : null] as const;
  });
  return realized(url, Object.fromEntries(entries));
}

let release = 2;
const BOATS = { documents: [...BERTHS, { kind: 'flag', key: 'boats', label: 'Boats' }] };

async function elsewhere({ method, path, example }: ApiOperation): Promise<Sent> {
  const send = (at: string, more: Partial<Sent> = {}): Sent => ({ method, path: at, ...more });
  const draft = async (name: string): Promise<string> => {
    const { status } = await admin.send(
      'PUT',
      `/api/metadata/drafts/${name}`,
      JSON.stringify({ base: release, ...BOATS }),
      {
        'content-type': 'application/json',
      },
    );
    expect([200, 201]).toContain(status);
    return name;
  };
  const latest = async (): Promise<number> =>
    Number((await admin.get('/api/metadata/documents')).json.data?.['release']);
  release = await latest();
  switch (`${method} ${path}`) {
    case 'POST /api/session':
      return send(path, {
        body: { email: 'sven@acme.example', password: PASSWORD, organisation: 'acme' },
        by: app.anonymous,
      });
    case 'DELETE /api/session':
      return send(path, { by: await app.as('acme', 'sven@acme.example') });
    case 'PUT /api/settings':
      return send(path, { body: { 'custom.season': 'winter' } });
    case 'GET /problems/{code}':
      return send('/problems/not_found', { by: app.anonymous });
    case 'POST /api/metadata/plan':
    case 'POST /api/metadata/publish':
      return send(path, { body: { base: release, message: 'Again', ...BOATS } });
    case 'POST /api/metadata/rollback':
      return send(path, { body: { base: release, to: 2, message: 'Back' } });
    case 'PUT /api/metadata/flags/{flag}':
      return send(path.replace('{flag}', 'custom.tides'), { body: example });
    case 'GET /api/metrics/{metric}':
      return send(path.replace('{metric}', 'crm.pipeline_value'));
    case 'PUT /api/metadata/drafts/{name}':
      return send(path.replace('{name}', 'fresh'), { body: { base: release, ...BOATS } });
    case 'POST /api/metadata/drafts/{name}/merge': {
      const from = [{ name: await draft('other') }];
      return send(path.replace('{name}', await draft('mine')), { body: { from } });
    }
    default:
      break;
  }
  const named = path.startsWith('/api/metadata/drafts/') ? path.replace('{name}', await draft('mine')) : path;
  const filled = named.replace('{number}', '1').replace('{file}', 'entity.json');
  return send(filled, example === undefined ? {} : { body: example });
}

async function answerTo({ method, path, body, raw, headers = {}, by = admin }: Sent): Promise<Response> {
  const controller = new AbortController();
  const token = by === admin ? await administrator() : null;
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await (token === null && by !== app.anonymous
    ? viaClient(by, { method, path, headers })
    : fetch(app.url + path, {
        method,
        redirect: 'manual',
        signal: controller.signal,
        headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...type, ...headers },
        body: raw ?? (body === undefined ? null : JSON.stringify(body)),
      }));
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
  // It never ends by itself.
  const { status } = response;
  const kept = new Headers(response.headers);
  controller.abort();
  return new Response('', { status, headers: kept });
}

async function viaClient(by: Client, { method, path, headers = {} }: Sent): Promise<Response> {
  const { status, text, headers: answered } = await by.send(method, path, null, headers);
  return new Response(status === 204 ? null : text, { status, headers: answered });
}

let token: string | undefined;
async function administrator(): Promise<string> {
  const { identity } = app.app.services;
  token ??= (await identity.issueToken({ tenant: 'acme', user: { email: 'admin@acme.example' }, label: 'test' })).token;
  return token;
}

/** What is not as described; empty when all is. */
async function disagreements(one: ApiOperation, sent: Sent, wanted: (status: number) => boolean): Promise<string[]> {
  const response = await answerTo(sent);
  const text = await response.text();
  const at = `${sent.method} ${sent.path}: ${response.status}`;
  if (!wanted(response.status)) return [`${at} was not expected ${text.slice(0, 400)} ← ${JSON.stringify(sent.body)}`];
  const described = one.responses.get(String(response.status));
  if (!described) return [`${at} is not described ${text.slice(0, 300)}`];
  const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const content = isObject(described['content']) ? described['content'] : {};
  if (text === '' && type !== 'text/event-stream') return [];
  const media = content[type] ?? content['application/octet-stream'];
  if (!isObject(media)) return [`${at} ${type} is not described`];
  if (!type.endsWith('json')) return [];
  return api.faults(media['schema'], JSON.parse(text)).map((fault) => `${at} ${fault}`);
}

/** The same request with something wrong in it. */
function wrong(one: ApiOperation, right: Sent): Sent | null {
  const { method, path } = one;
  if (path === '/livez' || path === '/readyz') return null;
  if (path.startsWith('/problems/')) return { method, path: '/problems/nothing' };
  const ids = one.path.match(/\{(?:id|import)\}/);
  if (ids && (method === 'GET' || right.body === undefined)) {
    const at = one.path.replaceAll(/\{(?:id|import|share)\}/g, UNKNOWN_ID);
    return { ...right, path: at };
  }
  if (right.raw !== undefined) return { method, path: right.path, body: { no: 'file' }, by: app.anonymous };
  if (right.body !== undefined) return { ...right, body: ['what is this'] };
  if (parted(path).rest === '' || path.endsWith('$export') || path.endsWith('$changes') || path.endsWith('$events'))
    return { ...right, path: `${right.path}?nothing=1` };
  return { method, path: right.path, by: app.anonymous };
}

/** A step that does not lead away from the first state is refused; nothing was left to be done by these publishes. */
function refusable({ path }: ApiOperation, status: number): boolean {
  if (path.startsWith('/api/metadata/steps/')) return status === 404;
  return status === 409 && /\$?actions\//.test(path) && !/restore|purge|assign|set_password/.test(path);
}

const groups = Map.groupBy(api.operations, ({ path }) => (parted(path).rest === null ? '(others)' : parted(path).url));
const OTHERS_LAST = [...groups].toSorted(([one], [two]) => Number(one === '(others)') - Number(two === '(others)'));

describe('every operation', () => {
  test.each(OTHERS_LAST)(
    'of %s answers as it is described, asked rightly and wrongly',
    { timeout: 240_000 },
    async (_, operations) => {
      const odd: string[] = [];
      for (const one of operations) {
        const right = await requestOf(one);
        odd.push(...(await disagreements(one, right, (status) => status < 400 || refusable(one, status))));
        const bad = wrong(one, right);
        if (bad) odd.push(...(await disagreements(one, bad, (status) => status >= 400 && status < 500)));
      }
      expect(odd).toEqual([]);
    },
  );
});

test('there are hundreds of them', () => {
  expect(api.operations.length).toBeGreaterThan(200);
});
