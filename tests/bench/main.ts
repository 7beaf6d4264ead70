/**
 * `npm run bench`: the product beside the best handler we can write by hand ({@link ./baseline.ts}), as ratios in one
 * run; then with many organisations, with many rows, and with a big file. Both are processes of their own on the same
 * embedded Postgres, the same data, role and policies; rounds alternate. Absolute rates depend on the machine, ratios
 * hardly do. Ends with 1 when one of {@link ./targets.ts} is missed.
 *
 * Options: `--quick` for short rounds and smaller numbers, `--only <word>` for scenarios whose name contains it.
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
import { measureImport } from './import.ts';
import { compare, type Comparison, load, type Target } from './load.ts';
import { watchMemory } from '#tests/support/memory.ts';
import { runCommand, type Running, startBaseline, startProduct } from './product.ts';
import { BY_HAND, type ByHand, IMPORT, MEMORY, ROWS, TENANTS } from './targets.ts';
import { type BenchTenant, makeMany, openTenantMaker } from './tenants.ts';

/** Connections of each server to Postgres: as many as the product's default. */
const POOL = 10;
const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
const rounds = options.quick ? 5 : 15;
const seconds = options.quick ? 1 : 2;

interface Scenario {
  readonly name: ByHand;
  readonly product: readonly autocannon.Request[];
  readonly baseline: readonly autocannon.Request[];
}

interface Row {
  readonly id: string;
  readonly [key: string]: unknown;
}

const home = await mkdtemp(join(tmpdir(), 'armature-bench-'));
// The first start makes the demo organisation. What is measured is a server that finds its organisations, as every later one.
await (await startProduct(home)).stop();
const product = await startProduct(home);
const stops = [() => product.stop()];
let missed = 0;
const memory = watchMemory(product.process.pid);
stops.push(async () => memory.stop());
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
  let changes = 0;
  const change = () => JSON.stringify({ name: `Bench ${(changes += 1)}`, amount: `${changes % 10_000}.25` });
  // Each request says something new: what changes nothing writes nothing.
  const changing = () => ({
    body: change(),
    setupRequest: (request: autocannon.Request): autocannon.Request => ({ ...request, body: change() }),
  });
  const json = { ...headers, 'content-type': 'application/json' };
  const some = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => make(index));
  const idOf = (index: number) => own[index % own.length]?.id ?? '';

  const scenarios: readonly Scenario[] = [
    {
      name: 'read one',
      product: some(100, (index) => ({ method: 'GET', path: `${base}/${idOf(index)}?$select=${fields}`, headers })),
      baseline: some(100, (index) => ({ method: 'GET', path: `/one/${idOf(index)}`, headers })),
    },
    {
      name: 'list of 50, filtered and sorted',
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
      product: some(100, (index) => ({
        method: 'PATCH',
        path: `${base}/${idOf(index)}?$select=${fields}`,
        headers: json,
        ...changing(),
      })),
      baseline: some(100, (index) => ({
        method: 'PATCH',
        path: `/update/${idOf(index)}`,
        headers: json,
        ...changing(),
      })),
    },
    // Last: it makes the table many times as long.
    {
      name: 'create 1,000 at once',
      product: some(4, (index) => ({ method: 'POST', path: base, headers: json, body: thousand(index) })),
      baseline: some(4, (index) => ({ method: 'POST', path: '/many', headers: json, body: thousand(index) })),
    },
  ];

  const header = ['scenario'.padEnd(46), 'rate'.padStart(7), 'against'.padStart(8), 'ratio'.padStart(7)];
  console.log(`\n${header.join('')}${'rounds'.padStart(13)}${'CPU'.padStart(6)}${'MB'.padStart(6)}  target`);
  const how = { rounds, seconds, connections: POOL };
  const wanted = (name: string): boolean => name.includes(options.only);
  const cluster = Number((await readFile(join(home, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  const target = (server: Running, requests: readonly autocannon.Request[]): Target => ({
    url: server.url,
    requests,
    scattered: true,
    pids: [server.process.pid ?? 0, cluster],
  });

  const maker = await openTenantMaker(home);
  stops.unshift(() => maker.close());
  await maker.settle();

  for (const scenario of scenarios.filter(({ name }) => wanted(name))) {
    await sameAnswer(scenario);
    report(
      scenario.name,
      await compare(target(product, scenario.product), target(baseline, scenario.baseline), how),
      BY_HAND[scenario.name],
    );
  }

  if (wanted('1,000 connections')) {
    const crowd = await load(
      target(product, [...(scenarios[0]?.product ?? []), ...(scenarios[1]?.product ?? [])]),
      1000,
      options.quick ? 5 : 15,
    );
    if (crowd.errors > 0) missed++;
    console.log(
      `${'1,000 connections, reads and lists'.padEnd(46)}${crowd.rate.toFixed(0).padStart(10)}   p50 ${crowd.p50} ms, p97.5 ${crowd.p97} ms, ${crowd.errors} errors ${crowd.errors === 0 ? '✓' : '✗'}`,
    );
  }

  const count = options.quick ? 5000 : 50_000;
  const importing = `import of ${count.toLocaleString('en')} rows`;
  if (wanted(importing)) {
    const { ratios, slowest } = await measureImport(home, product, count, options.quick ? 1 : 3);
    const sorted = [...ratios].sort((a, b) => a - b);
    const ratio = sorted[sorted.length >> 1] ?? 0;
    row(importing, [count / slowest, null, ratio], sorted, IMPORT.ratio, slowest <= IMPORT.seconds ? '' : 'too slow');
  }

  const many = options.quick ? 100 : TENANTS.count;
  const rotating = `${many} organisations in rotation`;
  const rows = options.quick ? 100_000 : ROWS.count;
  const large = `list of 50 of ${rows.toLocaleString('en')} rows`;
  if (wanted(rotating) || wanted(large)) {
    const get = (tenant: BenchTenant, who: 'boss' | 'rep', query: string): autocannon.Request => ({
      method: 'GET',
      path: `/api/bench/v1/tickets?$select=id,name,amount,owner&${query}&$first=50`,
      headers: { authorization: `Bearer ${tenant[who]}` },
    });
    if (wanted(large)) {
      const [small, big] = [await maker.make('small', 1000), await maker.make('big', rows)];
      for (const who of ['boss', 'rep'] as const)
        for (const [sorting, query] of [
          ['newest', '$order=-id'],
          ['indexed', '$order=-amount'],
        ] as const)
          report(
            `${large}, ${who === 'boss' ? 'all' : 'own'}, ${sorting}`,
            await compare(target(product, [get(big, who, query)]), target(product, [get(small, who, query)]), how),
            ROWS.ratio,
          );
    }
    if (wanted(rotating)) {
      const began = performance.now();
      const made = await makeMany(
        maker,
        some(many, (index) => `t${index}`),
        100,
      );
      console.log(`(${many} organisations made in ${((performance.now() - began) / 1000).toFixed(0)} s)`);
      const requests = made.map((tenant) => get(tenant, 'boss', '$order=-id'));
      // Every organisation's model is read once beforehand, as in a server that has been running.
      for (const { path, headers: sent } of requests)
        await fetch(product.url + (path ?? ''), { headers: { authorization: String(sent?.authorization) } });
      report(
        rotating,
        // Until every connection has been asked by every organisation, and knows its tables.
        await compare(target(product, requests), target(product, requests.slice(0, 1)), { ...how, warm: many / 20 }),
        TENANTS.ratio,
      );
    }
  }

  const peak = await memory.peak();
  if (peak !== null) {
    if (peak >= MEMORY) missed++;
    console.log(`server memory at most ${peak} MB, target below ${MEMORY} ${peak < MEMORY ? '✓' : '✗'}`);
  }

  function report(name: string, result: Comparison, least: number): void {
    const errors = result.product.errors + result.baseline.errors;
    row(
      name,
      [result.product.rate, result.baseline.rate, result.ratio, result.cpu],
      result.spread,
      least,
      errors ? `${errors} errors` : '',
    );
  }

  /** @param rates of ours, of what it is measured against, their ratio, and that of processor time */
  function row(
    name: string,
    [rate, against, ratio, cpu]: readonly [number, number | null, number, number?],
    spread: readonly number[],
    least: number,
    fault: string,
  ): void {
    const good = ratio >= least && fault === '';
    if (!good) missed++;
    const range = `${(spread[0] ?? 0).toFixed(2)}–${(spread.at(-1) ?? 0).toFixed(2)}`;
    console.log(
      `${name.padEnd(46)}${rate.toFixed(0).padStart(7)}${(against?.toFixed(0) ?? '').padStart(8)}${ratio.toFixed(2).padStart(7)}` +
        `${range.padStart(13)}${(cpu?.toFixed(2) ?? '').padStart(6)}${String(memory.lap()).padStart(6)}  ≥ ${least} ${good ? '✓' : '✗'}${fault && ` ${fault}`}`,
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
