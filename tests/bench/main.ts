/**
 * `npm run bench`: the product beside the best handler we can write by hand ({@link ./baseline.ts}), as ratios in one
 * run. Both are processes of their own on the same embedded Postgres, the same data, role and policies; rounds
 * alternate. Absolute rates depend on the machine, ratios hardly do. Ends with 1 when a target is missed.
 *
 * Options: `--quick` for short rounds, `--only <word>` for scenarios whose name contains it.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type autocannon from 'autocannon';
import { derive, LOGIN_ROLES } from '#engine/db/bootstrap.ts';
import { startEmbedded } from '#engine/db/embedded.ts';
import { arrayText, tenantNames } from '#engine/db/identifiers.ts';
import type { BaselineConfig } from './baseline.ts';
import { compare, load, type Target } from './load.ts';
import { runCommand, startBaseline, startProduct } from './product.ts';

/** Connections of each server to Postgres: as many as the product's default. */
const POOL = 10;
const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
const rounds = options.quick ? 3 : 7;
const seconds = options.quick ? 2 : 4;

interface Scenario {
  readonly name: string;
  readonly target: number;
  readonly product: readonly autocannon.Request[];
  readonly baseline: readonly autocannon.Request[];
}

interface Row {
  readonly id: string;
  readonly [key: string]: unknown;
}

const home = await mkdtemp(join(tmpdir(), 'armature-bench-'));
const product = await startProduct(home);
const stops = [() => product.stop()];
let missed = 0;
try {
  const administrator = await runCommand(
    home,
    'token',
    '--tenant',
    'demo',
    '--user',
    /administrator\s+(\S+)/.exec(product.printed)?.[1] ?? '',
  );
  const api = async (token: string, path: string): Promise<{ data: Row[] }> =>
    (await fetch(product.url + path, { headers: { authorization: `Bearer ${token}` } })).json();

  // The sales representative with the most open opportunities.
  const groups = await api(administrator, '/api/crm/v1/opportunities?$group=owner&$agg=n:count()&$order=-n');
  const owner = String(groups.data.find((group) => group.owner !== null)?.owner);
  const user = (
    await api(
      administrator,
      `/api/core/v1/users?id=${owner}&$select=id,email,roles,team,department,job_title,time_zone`,
    )
  ).data[0];
  if (!user) throw new Error('the demo organisation has no sales representative');
  const token = await runCommand(home, 'token', '--tenant', 'demo', '--user', String(user.email));
  const headers = { authorization: `Bearer ${token}` };
  const own = (await api(token, '/api/crm/v1/opportunities?$select=id,account&$first=200')).data;
  const accounts = (await api(token, '/api/crm/v1/accounts?$select=id&$first=50')).data;

  const postgres = await startEmbedded({ directory: home, password: '' });
  const secret = (await readFile(join(home, 'secret'), 'utf8')).trim();
  const names = tenantNames('t', 'demo');
  const config: BaselineConfig = {
    address: { host: '127.0.0.1', port: postgres.port, database: 'armature' },
    app: { user: LOGIN_ROLES.app, password: derive(secret, `postgres:${LOGIN_ROLES.app}`) },
    connections: POOL,
    schema: names.schema,
    role: names.role('sales_rep'),
    token,
    userId: user.id,
    settings: [user.id, String(user.team), arrayText([String(user.team)]), arrayText(['sales_rep']), '{}', 'UTC', ''],
  };
  const baseline = await startBaseline(config);
  stops.unshift(() => baseline.stop());

  const base = '/api/crm/v1/opportunities';
  const fields = 'id,version,name,stage,amount,amount_currency,probability,expected,close_date,account,owner';
  const record = (index: number) => ({
    name: `Bench ${index}`,
    stage: 'prospecting',
    amount: `${1000 + index}.50`,
    close_date: '2026-12-31',
    account: accounts[index % accounts.length]?.id,
  });
  const body = (index: number) => JSON.stringify(record(index));
  const thousand = (index: number) => JSON.stringify(some(1000, (n) => record(index * 1000 + n)));
  const change = (index: number) => JSON.stringify({ name: `Bench ${index} ${Math.random()}`, amount: `${index}.25` });
  const json = { ...headers, 'content-type': 'application/json' };
  const some = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => make(index));
  const idOf = (index: number) => own[index % own.length]?.id ?? '';

  const scenarios: readonly Scenario[] = [
    {
      name: 'read one',
      target: 0.7,
      product: some(100, (index) => ({ method: 'GET', path: `${base}/${idOf(index)}?$select=${fields}`, headers })),
      baseline: some(100, (index) => ({ method: 'GET', path: `/one/${idOf(index)}`, headers })),
    },
    {
      name: 'list of 50, filtered and sorted',
      target: 0.7,
      product: [
        {
          method: 'GET',
          path: `${base}?$select=${fields}&stage[in]=won,lost,engaging&$order=-amount&$first=50`,
          headers,
        },
      ],
      baseline: [{ method: 'GET', path: '/list?stages=won,lost,engaging', headers }],
    },
    {
      name: 'list of 50 with two embedded references',
      target: 0.7,
      product: [
        {
          method: 'GET',
          path: `${base}?$select=id,name,amount,account(id,name),product(id,name,code)&$order=-id&$first=50`,
          headers,
        },
      ],
      baseline: [{ method: 'GET', path: '/embeds', headers }],
    },
    {
      name: 'create',
      target: 0.6,
      product: some(50, (index) => ({
        method: 'POST',
        path: `${base}?$select=${fields}`,
        headers: json,
        body: body(index),
      })),
      baseline: some(50, (index) => ({ method: 'POST', path: '/create', headers: json, body: body(index) })),
    },
    {
      name: 'update',
      target: 0.6,
      product: some(100, (index) => ({
        method: 'PATCH',
        path: `${base}/${idOf(index)}?$select=${fields}`,
        headers: json,
        body: change(index),
      })),
      baseline: some(100, (index) => ({
        method: 'PATCH',
        path: `/update/${idOf(index)}`,
        headers: json,
        body: change(index),
      })),
    },
    // Last: it makes the table many times as long.
    {
      name: 'create 1,000 at once',
      target: 0.7,
      product: some(4, (index) => ({ method: 'POST', path: base, headers: json, body: thousand(index) })),
      baseline: some(4, (index) => ({ method: 'POST', path: '/many', headers: json, body: thousand(index) })),
    },
  ];

  console.log(
    `\n${'scenario'.padEnd(42)}${'product/s'.padStart(10)}${'by hand/s'.padStart(11)}${'ratio'.padStart(8)}${'rounds'.padStart(14)}  target`,
  );
  for (const scenario of scenarios.filter(({ name }) => name.includes(options.only))) {
    await sameAnswer(scenario);
    const target = (url: string, requests: readonly autocannon.Request[]): Target => ({ url, requests });
    const result = await compare(target(product.url, scenario.product), target(baseline.url, scenario.baseline), {
      rounds,
      seconds,
      connections: POOL,
    });
    const errors = result.product.errors + result.baseline.errors;
    const good = result.ratio >= scenario.target && errors === 0;
    if (!good) missed++;
    console.log(
      `${scenario.name.padEnd(42)}${result.product.rate.toFixed(0).padStart(10)}${result.baseline.rate.toFixed(0).padStart(11)}` +
        `${result.ratio.toFixed(2).padStart(8)}${`${result.spread[0].toFixed(2)}–${result.spread[1].toFixed(2)}`.padStart(14)}  ≥ ${scenario.target} ${good ? '✓' : '✗'}${errors ? ` ${errors} errors` : ''}`,
    );
  }

  if ('1,000 connections'.includes(options.only)) {
    const crowd = await load(
      { url: product.url, requests: [...(scenarios[0]?.product ?? []), ...(scenarios[1]?.product ?? [])] },
      1000,
      options.quick ? 5 : 15,
    );
    if (crowd.errors > 0) missed++;
    console.log(
      `${'1,000 connections, reads and lists'.padEnd(42)}${crowd.rate.toFixed(0).padStart(10)}   p50 ${crowd.p50} ms, p97.5 ${crowd.p97} ms, ${crowd.errors} errors ${crowd.errors === 0 ? '✓' : '✗'}`,
    );
  }

  /** A ratio means something only when both do the same work. */
  async function sameAnswer(scenario: Scenario): Promise<void> {
    const [ours, theirs] = await Promise.all(
      (
        [
          [product.url, scenario.product[0]],
          [baseline.url, scenario.baseline[0]],
        ] as const
      ).map(async ([url, request]) => {
        const response = await fetch(url + (request?.path ?? ''), {
          method: request?.method ?? 'GET',
          headers,
          ...(request?.body ? { body: String(request.body), headers: json } : {}),
        });
        const { data }: { data: Row | Row[] } = await response.json();
        const rows = Array.isArray(data) ? data : [data];
        return JSON.stringify(rows.map((row) => ({ ...row, id: 0, version: 0, name: '' })));
      }),
    );
    if (scenario.name !== 'update' && ours !== theirs)
      throw new Error(`${scenario.name}: the answers differ\n${ours?.slice(0, 400)}\n${theirs?.slice(0, 400)}`);
  }
} finally {
  for (const stop of stops) await stop();
  await rm(home, { recursive: true, force: true });
}
process.exit(missed === 0 ? 0 : 1);
