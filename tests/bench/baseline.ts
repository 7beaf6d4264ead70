/**
 * The best handler we can write by hand for five requests, to be measured against: `node:http` and `pg`, context and
 * statement between two Syncs, one named prepared statement per shape and role, JSON built by Postgres, the same
 * database role, policies, triggers and data. It knows its table and one user by heart, which the product cannot.
 *
 * Run by `bench/main.ts` as a process of its own: `node baseline.ts <config as JSON>`; prints its port.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import pg from 'pg';
import type { Address, Credentials } from '#engine/db/connection.ts';
import { sendBatch, type Statement, type StatementResult } from '#engine/db/execute.ts';

export interface BaselineConfig {
  readonly address: Address;
  readonly app: Credentials;
  readonly connections: number;
  readonly schema: string;
  readonly role: string;
  readonly token: string;
  readonly userId: string;
  /** Values of the session settings in the order of {@link CONTEXT}, without the role. */
  readonly settings: readonly string[];
}

const CONTEXT = `select set_config('armature.user_id',$1,true), set_config('armature.team',$2,true),
 set_config('armature.teams',$3,true), set_config('armature.roles',$4,true), set_config('armature.attributes',$5,true),
 set_config('armature.time_zone',$6,true), set_config('armature.now',$7,true), set_config('role',$8,true)`;

const config: BaselineConfig = JSON.parse(process.argv[2] ?? '{}');
const pool = new pg.Pool({
  ...config.address,
  ...config.app,
  max: config.connections,
  options: '-c statement_timeout=15000 -c search_path=pg_catalog -c timezone=UTC -c jit=off',
});
pool.on('error', () => {});
pool.on('connect', (client) => {
  client.on('error', () => {});
});

const table = `"${config.schema}".crm_opportunities`;
const live = `x.deleted_at is null and x.owner = $1`;
const columns = `x.id, x.version, x.name, x.stage, x.amount::text as amount, x.amount_currency,
 x.probability::text as probability, x.expected::text as expected, x.close_date, x.account, x.owner`;

const ONE = `select row_to_json(r)::text, r.version from (select ${columns} from ${table} x where ${live} and x.id = $2) r`;

const LIST = `select coalesce(json_agg(r.j) filter (where r.n <= 50), '[]')::text, count(*) > 50,
 max(r.amount::text) filter (where r.n = 50), max(r.id::text) filter (where r.n = 50)
 from (select row_to_json(x) as j, x.amount, x.id, row_number() over () as n from (
   select ${columns} from ${table} x where ${live} and x.stage = any($2::text[]) order by x.amount desc, x.id desc limit 51) x) r`;

const EMBEDS = `with p as materialized (select x.id, x.name, x.amount, x.account, x.product from ${table} x where ${live} order by x.id desc limit 51)
 select coalesce((select json_agg(r) from (select p.id, p.name, p.amount::text as amount,
   (select row_to_json(a) from (select a.id, a.name from "${config.schema}".crm_accounts a where a.id = p.account and a.deleted_at is null and a.owner = $1) a) as account,
   (select row_to_json(o) from (select o.id, o.name, o.code from "${config.schema}".crm_products o where o.id = p.product and o.deleted_at is null) o) as product
   from p limit 50) r)::text, '[]'),
 (select count(*) from p) > 50, (select p.id::text from p offset 49 limit 1)`;

const INSERT = `insert into ${table} as x (id, name, stage, amount, amount_currency, close_date, account, owner)
 select $2::uuid, $3::text, $4::text, $5::numeric, $6::text, $7::date, $8::uuid, $1::uuid
 where exists (select from "${config.schema}".crm_accounts a where a.id = $8::uuid and a.deleted_at is null and a.owner = $1)`;

const INSERT_MANY = `insert into ${table} as x (id, name, stage, amount, amount_currency, close_date, account, owner)
 select r.id, r.name, r.stage, r.amount, 'EUR', r.close_date, r.account, $1::uuid
 from json_to_recordset($2::json) as r(id uuid, name text, stage text, amount numeric, close_date date, account uuid)
 where exists (select from "${config.schema}".crm_accounts a where a.id = r.account and a.deleted_at is null and a.owner = $1)`;

const UPDATE = `update ${table} as x set name = $3, amount = $4::numeric
 where ${live} and x.id = $2 and (x.name, x.amount) is distinct from ($3, $4::numeric)`;

const context: Statement = { text: CONTEXT, values: [...config.settings, config.role] };

async function run(...statements: readonly Statement[]): Promise<StatementResult[]> {
  const client = await pool.connect();
  try {
    return (await sendBatch(client, config.role, [context, ...statements])).slice(1);
  } finally {
    client.release();
  }
}

function answer(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

function missing(response: ServerResponse): void {
  answer(response, 404, '{"title":"There is nothing here","status":404}');
}

async function json(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function body(request: IncomingMessage): Promise<Record<string, unknown>> {
  const input = await json(request);
  return typeof input === 'object' && input !== null ? { ...input } : {};
}

/** A UUID version 7: 48 bits of milliseconds, then randomness. */
function uuid7(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers.authorization !== `Bearer ${config.token}`)
    return answer(response, 401, '{"title":"Sign in first","status":401}');
  const url = request.url ?? '/';
  const user = config.userId;
  const id = url.slice(-36);
  if (request.method === 'GET' && url.startsWith('/one/')) {
    const [result] = await run({ text: ONE, values: [user, id] });
    const row = result?.rows[0];
    return row ? answer(response, 200, `{"data":${row[0]}}`, { etag: `"v${row[1]}"` }) : missing(response);
  }
  if (request.method === 'GET' && url.startsWith('/list')) {
    const stages = new URLSearchParams(url.slice(url.indexOf('?'))).get('stages') ?? '';
    const [result] = await run({ text: LIST, values: [user, `{${stages}}`] });
    const row = result?.rows[0] ?? [];
    const next =
      row[1] === 't' ? JSON.stringify(Buffer.from(JSON.stringify([row[2], row[3]])).toString('base64url')) : 'null';
    return answer(response, 200, `{"data":${row[0]},"page":{"next":${next},"prev":null}}`);
  }
  if (request.method === 'GET' && url.startsWith('/embeds')) {
    const [result] = await run({ text: EMBEDS, values: [user] });
    const row = result?.rows[0] ?? [];
    const next = row[1] === 't' ? JSON.stringify(Buffer.from(JSON.stringify([row[2]])).toString('base64url')) : 'null';
    return answer(response, 200, `{"data":${row[0]},"page":{"next":${next},"prev":null}}`);
  }
  if (request.method === 'POST' && url === '/create') {
    const input = await body(request);
    const created = uuid7();
    const values = [
      user,
      created,
      text(input.name),
      text(input.stage),
      text(input.amount),
      'EUR',
      text(input.close_date),
      text(input.account),
    ];
    const [inserted, selected] = await run({ text: INSERT, values }, { text: ONE, values: [user, created] });
    const row = selected?.rows[0];
    if (inserted?.count !== 1 || !row) return answer(response, 422, '{"title":"Not valid","status":422}');
    return answer(response, 201, `{"data":${row[0]}}`, { etag: `"v${row[1]}"`, location: `/one/${created}` });
  }
  if (request.method === 'POST' && url === '/many') {
    const input: unknown = await json(request);
    const rows = (Array.isArray(input) ? input : []).map((row: object) => ({ ...row, id: uuid7() }));
    const [inserted] = await run({ text: INSERT_MANY, values: [user, JSON.stringify(rows)] });
    if (inserted?.count !== rows.length) return answer(response, 422, '{"title":"Not valid","status":422}');
    return answer(response, 201, JSON.stringify({ data: rows.map((row) => ({ id: row.id, version: 1 })) }));
  }
  if (request.method === 'PATCH' && url.startsWith('/update/')) {
    const input = await body(request);
    const [, selected] = await run(
      { text: UPDATE, values: [user, id, text(input.name), text(input.amount)] },
      { text: ONE, values: [user, id] },
    );
    const row = selected?.rows[0];
    return row ? answer(response, 200, `{"data":${row[0]}}`, { etag: `"v${row[1]}"` }) : missing(response);
  }
  missing(response);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => {
    console.error(randomUUID(), error);
    answer(response, 500, '{"title":"Something went wrong","status":500}');
  });
});
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(address.port);
});
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => {
    void pool.end().then(() => process.exit(0));
  });
});
