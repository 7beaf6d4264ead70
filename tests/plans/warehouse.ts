/** One big table, published like any other, with a role that sees all of it and one that sees its own records. */
import type pg from 'pg';
import { fixedClock, systemIds } from '#engine/clock.ts';
import type { Address, Credentials } from '#engine/db/connection.ts';
import { Database, sessionOf } from '#engine/db/database.ts';
import { quote } from '#engine/db/identifiers.ts';
import type { SourceDocument } from '#engine/model/documents.ts';
import type { Entity, Model } from '#engine/model/model.ts';
import { loadShippedPacks } from '#engine/model/packs.ts';
import { rightsOf } from '#engine/model/rights.ts';
import { parseJsonQuery } from '#engine/records/query/json.ts';
import { parseUrlQuery } from '#engine/records/query/url.ts';
import { Cursors } from '#engine/records/read/cursor.ts';
import { Lists } from '#engine/records/read/lists.ts';
import type { Scope } from '#engine/records/scope.ts';
import { ModelStore } from '#engine/schema/model-store.ts';
import { Publisher } from '#engine/schema/publish.ts';
import { createTenant } from '#engine/schema/tenants.ts';

export const ROWS = 1_000_000;
const OWNERS = 100;
const PRIME = 1_000_003;
/** Whoever reads more records than this has found none by an index. */
const MANY = 100_000;
/**
 * Who asks: somebody who sees all records, somebody who sees those they own (and those shared with them, of which there
 * are none), and somebody who owns none and sees what is shared with them.
 */
export const READERS = ['keeper', 'owner', 'guest'] as const;
export type Reader = (typeof READERS)[number];
const SHARED = 500;
/**
 * For this many values of one column Postgres wants 300 times as many records, and takes all there are: its statistics of
 * all columns are then the same in every run, and so are its plans.
 */
const WHOLE = 3400;
const GUEST = 555;

const field = (key: string, type: string, more: object = {}): object => ({ key, type, label: key, ...more });
const documents: readonly unknown[] = [
  {
    kind: 'entity',
    key: 'article',
    plural: 'articles',
    label: 'Article',
    title: '{name}',
    owner: true,
    sharing: true,
    softDelete: true,
    fields: [
      field('name', 'text', { required: true, search: 'A', index: true }),
      field('note', 'text', { search: 'C' }),
      field('code', 'text', { index: true }),
      field('rank', 'integer', { index: true }),
      field('amount', 'money', { index: true }),
      field('weight', 'decimal', { index: true }),
      field('due', 'date', { index: true }),
      field('seen_at', 'datetime', { index: true }),
      field('kind', 'choice', { index: true, choices: ['new', 'used', 'broken'].map((key) => ({ key, label: key })) }),
      field('tags', 'tags', { index: true }),
      field('opens', 'time', { index: true }),
      field('sold', 'boolean', { index: true }),
      field('shelf', 'reference', { to: 'shelf', inverse: 'articles' }),
      field('labels', 'links', { to: 'label', inverse: 'labelled' }),
      field('parts', 'children', { of: 'part' }),
      field('about', 'any_reference', { to: ['box', 'shelf'] }),
    ],
  },
  {
    kind: 'entity',
    key: 'part',
    plural: 'parts',
    label: 'Part',
    title: '{quantity}',
    parent: 'article',
    fields: [
      field('article', 'reference', { to: 'article', required: true, onDelete: 'cascade' }),
      field('quantity', 'integer', { index: true }),
    ],
  },
  {
    kind: 'entity',
    key: 'shelf',
    plural: 'shelves',
    label: 'Shelf',
    title: '{name}',
    fields: [field('name', 'text', { required: true }), field('parent', 'reference', { to: 'shelf' })],
  },
  {
    kind: 'entity',
    key: 'label',
    plural: 'labels',
    label: 'Label',
    title: '{name}',
    fields: [field('name', 'text', { required: true })],
  },
  {
    kind: 'entity',
    key: 'box',
    plural: 'boxes',
    label: 'Box',
    title: '{name}',
    softDelete: true,
    fields: [field('name', 'text', { required: true })],
  },
  { kind: 'role', key: 'keeper', label: 'Keeper' },
  { kind: 'role', key: 'owner', label: 'Owner' },
  { kind: 'permission', role: 'keeper', entity: 'article', actions: ['read'] },
  { kind: 'permission', role: 'keeper', entity: 'shelf', actions: ['read'] },
  { kind: 'permission', role: 'keeper', entity: 'label', actions: ['read'] },
  { kind: 'permission', role: 'owner', entity: 'article', actions: ['read'], conditions: { owner: 'self' } },
  { kind: 'permission', role: 'keeper', entity: 'box', actions: ['read'] },
  { kind: 'permission', role: 'owner', key: 'boxes', entity: 'box', actions: ['read'] },
  { kind: 'permission', role: 'owner', key: 'shelves', entity: 'shelf', actions: ['read'] },
  { kind: 'permission', role: 'owner', key: 'labels', entity: 'label', actions: ['read'] },
];

const uuid = (kind: string, number: string): string =>
  `('00000000-0000-7000-8${kind}-' || lpad(${number}, 12, '0'))::uuid`;
export const idOf = (kind: string, number: number): string =>
  `00000000-0000-7000-8${kind}-${String(number).padStart(12, '0')}`;

export interface Planned {
  readonly milliseconds: number;
  /** Kinds of nodes with the tables and indexes they read, in the order of the plan. */
  readonly nodes: readonly string[];
  /** Whether it has read a large part of a table. */
  readonly scansAll: boolean;
}

export class Warehouse {
  readonly #database: Database;
  readonly #models: ModelStore;
  /** Noon of a day behind all that was created: yesterday is always as far from the records. */
  readonly #lists = new Lists(new Cursors('not a secret'), fixedClock(Date.UTC(2026, 5, 15, 12)));
  readonly #scopes: ReadonlyMap<string, Scope>;
  readonly #model: Model;
  /** The tables that have so many records. */
  readonly #big: ReadonlySet<string>;

  private constructor(
    database: Database,
    models: ModelStore,
    model: Model,
    scopes: ReadonlyMap<string, Scope>,
    links: string,
  ) {
    this.#database = database;
    this.#models = models;
    this.#model = model;
    this.#scopes = scopes;
    this.#big = new Set(['depot_articles', 'depot_parts', links]);
  }

  entity(key: string): Entity {
    const entity = this.#model.entities.get(key.includes('.') ? key : `depot.${key}`);
    if (entity === undefined) throw new TypeError(`the depot has no ${key}`);
    return entity;
  }

  static async open(
    test: { address: Address; app: Credentials; owner: Credentials },
    superuser: pg.Client,
  ): Promise<Warehouse> {
    // Who reads the whole table begins at its beginning, wherever somebody else is.
    await superuser.query(`alter database ${quote(test.address.database)} set synchronize_seqscans = off`);
    const database = new Database({ address: test.address, app: test.app, owner: test.owner, connections: 2 });
    const pack = {
      key: 'depot',
      version: '1.0.0',
      documents: [{ kind: 'pack', key: 'depot', version: '1.0.0', label: 'Depot' }, ...documents].map(
        (document): SourceDocument => ({ document, source: 'depot', pack: 'depot' }),
      ),
    };
    const packs = [...(await loadShippedPacks()).filter(({ key }) => key === 'core'), pack];
    const publisher = new Publisher({ database, packs });
    const wanted = { key: 'depot', name: 'Depot', country: 'DE', currency: 'EUR', timeZone: 'UTC', locale: 'en' };
    await createTenant({ database, ids: systemIds, publisher }, { ...wanted, packs: ['depot'] });
    const models = new ModelStore({ database });
    const { tenant, model } = await models.get('depot');
    const entity = model.entities.get('depot.article');
    const many = entity?.fields.get('labels')?.many;
    if (entity === undefined || many?.via !== 'links') throw new TypeError('the depot has articles with labels');
    await fill(superuser, quote(tenant.names.schema), many.table, entity.id);
    const scopes = READERS.map((reader): [string, Scope] => {
      const role = reader === 'guest' ? 'owner' : reader;
      const principal = {
        tenant: tenant.key,
        userId: idOf('111', reader === 'guest' ? GUEST : 7),
        name: reader,
        email: null,
        roles: [role],
        dbRole: tenant.names.role(role),
        team: null,
        teams: [],
        teamMembers: [],
        attributes: {},
        locale: 'en',
        timeZone: 'UTC',
      };
      return [reader, { tenant, model, principal, rights: rightsOf(model, [role]), predicates: true }];
    });
    return new Warehouse(database, models, model, new Map(scopes), many.table);
  }

  /** Explains and runs every statement of a query as the application would, and tells of the slowest. */
  async plan(role: string, query: string | object): Promise<Planned> {
    const plans = await this.#explain(role, query, 'article', 'analyze, timing off, ');
    return {
      milliseconds: plans.reduce((sum, plan) => sum + (plan['Execution Time'] ?? 0), 0),
      nodes: plans.flatMap((plan) => nodesOf(plan.Plan)),
      scansAll: plans.some(({ Plan }) => readBy(Plan, this.#big) > MANY),
    };
  }

  /**
   * As {@link Warehouse.plan}, of many shapes in short time: a plan that leaves no doubt is not run.
   * @returns the nodes where a large part of a table is read, else `null`
   */
  async scanOf(role: string, query: object, entity: string): Promise<string | null> {
    const plans = await this.#explain(role, query, entity, '');
    const told = (): string => plans.flatMap(({ Plan }) => nodesOf(Plan)).join(', ');
    const looks = plans.map(({ Plan }) => lookAt(Plan, this.#big));
    if (looks.includes('scan')) return told();
    if (!looks.includes('doubt')) return null;
    const run = await this.#explain(role, query, entity, 'analyze, timing off, ');
    return run.some(({ Plan }) => readBy(Plan, this.#big) > MANY) ? told() : null;
  }

  async #explain(role: string, query: string | object, entity: string, options: string): Promise<Explained[]> {
    const scope = this.#scopes.get(role);
    if (scope === undefined) throw new TypeError(`no role ${role}`);
    const parsed = typeof query === 'string' ? parseUrlQuery(query) : parseJsonQuery(query);
    const { statements } = this.#lists.prepare(scope, this.entity(entity), parsed);
    const explained = statements.map(({ text, values }) => ({
      text: `explain (${options}format json) ${text}`,
      values,
      unprepared: true,
    }));
    const results = await this.#database.batch(sessionOf(scope.principal), explained);
    return results.map((result) => (JSON.parse(result.rows[0]?.[0] ?? '[]') as [Explained])[0]);
  }

  /** The cursor of the page after the first. */
  async next(role: string, query: string): Promise<string> {
    const scope = this.#scopes.get(role);
    if (scope === undefined) throw new TypeError(`no role ${role}`);
    const request = this.#lists.prepare(scope, this.entity('article'), parseUrlQuery(query));
    const body = request.body(await this.#database.batch(sessionOf(scope.principal), request.statements));
    return (JSON.parse(body) as { page: { next: string } }).page.next;
  }

  async close(): Promise<void> {
    await this.#models.close();
    await this.#database.close();
  }
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Plan Rows': number;
  readonly 'Total Cost': number;
  /** These are told only of a plan that was run. */
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Node[];
}
interface Explained {
  readonly Plan: Node;
  readonly 'Execution Time'?: number;
}

/** The most records that one node of the plan has looked at. */
function readBy(node: Node, big: ReadonlySet<string>): number {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const own = big.has(node['Relation Name'] ?? '')
    ? ((node['Actual Rows'] ?? 0) + removed) * (node['Actual Loops'] ?? 0)
    : 0;
  return Math.max(own, ...(node.Plans ?? []).map((inner) => readBy(inner, big)));
}

/** What it costs to go through a large part of a table; a page that is full soon costs a tenth. */
const SCAN = 20_000;

/** What is certain of a plan that was not run. */
function lookAt(plan: Node, big: ReadonlySet<string>): 'scan' | 'index' | 'doubt' {
  const nodes = flat(plan).filter((node) => big.has(node['Relation Name'] ?? ''));
  const whole = nodes.some((node) => node['Node Type'] === 'Seq Scan');
  if (whole) return plan['Total Cost'] > SCAN ? 'scan' : 'doubt';
  const narrow = nodes.every((node) => node['Index Cond'] !== undefined || node['Node Type'] === 'Bitmap Heap Scan');
  const few = flat(plan).every((node) => node['Plan Rows'] < MANY / 10);
  return narrow && few && plan['Total Cost'] < 10 * SCAN ? 'index' : 'doubt';
}

const flat = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(flat)];

function nodesOf(node: Node): string[] {
  const read = [node['Relation Name'], node['Index Name']].filter((each) => each !== undefined).join(' ');
  const own = read === '' ? [] : [`${node['Node Type']} ${read}`];
  return [...own, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** A column of which every record has the same value, so that there is nothing to be known of it. */
const constantOf = (table: string): string => (table.includes('.depot_') ? 'version' : 'created_at');

/** Without triggers, and with the indexes made afterwards: it is the plans that are of interest. Values follow no order. */
async function fill(superuser: pg.Client, schema: string, links: string, article: string): Promise<void> {
  const tables = [
    ...['shelves', 'labels', 'boxes', 'articles', 'parts'].map((table) => `${schema}.depot_${table}`),
    `${schema}.${quote(links)}`,
    `${schema}.shares`,
  ];
  const { rows: indexes } = await superuser.query<{ name: string; sql: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as sql from pg_index
     where indrelid in ($1::regclass, $2::regclass, $3::regclass) and not indisprimary`,
    [`${schema}.depot_articles`, `${schema}.depot_parts`, `${schema}.${quote(links)}`],
  );
  await superuser.query(`
    set session_replication_role = replica;
    set maintenance_work_mem = '256MB';
    set synchronous_commit = off;
    ${indexes.map(({ name }) => `drop index ${name};`).join('\n')}
    insert into ${schema}.depot_shelves (id, version, created_at, updated_at, name, parent)
      select ${uuid('222', 'n::text')}, 1, now(), now(), 'Shelf ' || n, ${uuid('222', '(n / 10)::text')}
      from generate_series(1, 1000) n;
    insert into ${schema}.depot_boxes (id, version, created_at, updated_at, name)
      select ${uuid('444', 'n::text')}, 1, now(), now(), 'Box ' || n from generate_series(1, 1000) n;
    insert into ${schema}.depot_labels (id, version, created_at, updated_at, name)
      select ${uuid('666', 'n::text')}, 1, now(), now(), 'Label ' || n from generate_series(1, 1000) n;
    insert into ${schema}.shares (id, entity, record, "user", level, created_at)
      select ${uuid('555', 'n::text')}, '${article}', ${uuid('000', '(n * 1999)::text')}, ${uuid('111', `'${GUEST}'`)}, 'read', now()
      from generate_series(1, ${SHARED}) n;
    insert into ${schema}.depot_articles
      (id, version, created_at, updated_at, owner, name, note, code, rank, amount, amount_currency, weight, due, seen_at, kind, tags, opens, sold,
       shelf, about_box, about_shelf)
      select ${uuid('000', 'n::text')}, 1, timestamptz '2026-01-01' + n * interval '1 second', now(),
        ${uuid('111', `(n % ${OWNERS})::text`)}, 'Article ' || substr(md5(n::text), 1, 12), 'note ' || (p % 5000), 'c' || p, p,
        p / 7.0, 'EUR', p / 3.0, date '2000-01-01' + (p / 70)::integer, timestamptz '2020-01-01' + p * interval '4 minutes',
        case p % 1000 when 0 then 'broken' when 1 then 'used' else 'new' end, array['t' || p % 1000, 'u' || p % 7],
        time '00:00' + (p % 86400) * interval '1 second', p % 1000 = 0,
        ${uuid('222', '(p % 1000 + 1)::text')},
        case when p < 20000 and p % 2 = 0 then ${uuid('444', '(p % 1000 + 1)::text')} end,
        case when p < 20000 and p % 2 = 1 then ${uuid('222', '(p % 1000 + 1)::text')} end
      from generate_series(1, ${ROWS}) n cross join lateral (select n * 7919::bigint % ${PRIME} as p) q;
    insert into ${schema}.depot_parts (id, version, created_at, updated_at, article, quantity)
      select ${uuid('333', 'n::text')}, 1, now(), now(), ${uuid('000', '(n * 5 - 3)::text')}, n
      from generate_series(1, 200000) n;
    insert into ${schema}.${quote(links)} (near, far)
      select ${uuid('000', '(n * 4)::text')}, ${uuid('666', '(n % 1000 + 1)::text')} from generate_series(1, 200000) n;
    ${indexes.map(({ sql }) => `${sql};`).join('\n')}
    ${tables.map((table) => `alter table ${table} set (autovacuum_enabled = off);`).join('\n')}
    ${tables.map((table) => `alter table ${table} alter column ${constantOf(table)} set statistics ${WHOLE};`).join('\n')}
    analyze ${tables.join(', ')};
  `);
}
