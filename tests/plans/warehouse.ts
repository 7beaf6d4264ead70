/** One big table, published like any other, with a role that sees all of it and one that sees its own records. */
import type pg from 'pg';
import { systemClock, systemIds } from '#engine/clock.ts';
import type { Address, Credentials } from '#engine/db/connection.ts';
import { Database, sessionOf } from '#engine/db/database.ts';
import { quote } from '#engine/db/identifiers.ts';
import type { SourceDocument } from '#engine/model/documents.ts';
import type { Entity } from '#engine/model/model.ts';
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
      field('shelf', 'reference', { to: 'shelf' }),
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
  { kind: 'permission', role: 'keeper', entity: 'box', actions: ['read'] },
  { kind: 'permission', role: 'owner', entity: 'article', actions: ['read'], conditions: { owner: 'self' } },
  { kind: 'permission', role: 'owner', key: 'shelves', entity: 'shelf', actions: ['read'] },
  { kind: 'permission', role: 'owner', key: 'boxes', entity: 'box', actions: ['read'] },
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
  readonly #lists = new Lists(new Cursors('not a secret'), systemClock);
  readonly #scopes: ReadonlyMap<string, Scope>;
  readonly #entity: Entity;

  private constructor(database: Database, models: ModelStore, scopes: ReadonlyMap<string, Scope>, entity: Entity) {
    this.#database = database;
    this.#models = models;
    this.#scopes = scopes;
    this.#entity = entity;
  }

  static async open(
    test: { address: Address; app: Credentials; owner: Credentials },
    superuser: pg.Client,
  ): Promise<Warehouse> {
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
    if (entity === undefined) throw new TypeError('the depot has articles');
    await fill(superuser, quote(tenant.names.schema));
    const scopes = ['keeper', 'owner'].map((role): [string, Scope] => {
      const principal = {
        tenant: tenant.key,
        userId: idOf('111', 7),
        name: role,
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
      return [role, { tenant, model, principal, rights: rightsOf(model, [role]), predicates: true }];
    });
    return new Warehouse(database, models, new Map(scopes), entity);
  }

  /** Explains and runs every statement of a query as the application would, and tells of the slowest. */
  async plan(role: string, query: string | object): Promise<Planned> {
    const scope = this.#scopes.get(role);
    if (scope === undefined) throw new TypeError(`no role ${role}`);
    const parsed = typeof query === 'string' ? parseUrlQuery(query) : parseJsonQuery(query);
    const { statements } = this.#lists.prepare(scope, this.#entity, parsed);
    const explained = statements.map(({ text, values }) => ({
      text: `explain (analyze, timing off, format json) ${text}`,
      values,
      unprepared: true,
    }));
    const results = await this.#database.batch(sessionOf(scope.principal), explained);
    const plans = results.map((result) => JSON.parse(result.rows[0]?.[0] ?? '[]') as [Explained]);
    const nodes = plans.flatMap(([plan]) => nodesOf(plan.Plan));
    return {
      milliseconds: plans.reduce((sum, [plan]) => sum + plan['Execution Time'], 0),
      nodes,
      scansAll: plans.some(([plan]) => readBy(plan.Plan) > MANY),
    };
  }

  /** The cursor of the page after the first. */
  async next(role: string, query: string): Promise<string> {
    const scope = this.#scopes.get(role);
    if (scope === undefined) throw new TypeError(`no role ${role}`);
    const request = this.#lists.prepare(scope, this.#entity, parseUrlQuery(query));
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
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Node[];
}
interface Explained {
  readonly Plan: Node;
  readonly 'Execution Time': number;
}

/** The most records that one node of the plan has looked at. */
function readBy(node: Node): number {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const own = /^depot_(articles|parts)$/.test(node['Relation Name'] ?? '')
    ? (node['Actual Rows'] + removed) * node['Actual Loops']
    : 0;
  return Math.max(own, ...(node.Plans ?? []).map(readBy));
}

function nodesOf(node: Node): string[] {
  const read = [node['Relation Name'], node['Index Name']].filter((each) => each !== undefined).join(' ');
  const own = read === '' ? [] : [`${node['Node Type']} ${read}`];
  return [...own, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** Without triggers, and with the indexes made afterwards: it is the plans that are of interest. Values follow no order. */
async function fill(superuser: pg.Client, schema: string): Promise<void> {
  const { rows: indexes } = await superuser.query<{ name: string; sql: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as sql from pg_index
     where indrelid in ($1::regclass, $2::regclass) and not indisprimary`,
    [`${schema}.depot_articles`, `${schema}.depot_parts`],
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
    insert into ${schema}.depot_articles
      (id, version, created_at, updated_at, owner, name, note, code, rank, amount, amount_currency, weight, due, seen_at, kind, tags, shelf, about_box, about_shelf)
      select ${uuid('000', 'n::text')}, 1, timestamptz '2026-01-01' + n * interval '1 second', now(),
        ${uuid('111', `(n % ${OWNERS})::text`)}, 'Article ' || substr(md5(n::text), 1, 12), 'note ' || (p % 5000), 'c' || p, p,
        p / 7.0, 'EUR', p / 3.0, date '2000-01-01' + (p / 70)::integer, timestamptz '2020-01-01' + p * interval '4 minutes',
        case p % 1000 when 0 then 'broken' when 1 then 'used' else 'new' end, array['t' || p % 1000, 'u' || p % 7],
        ${uuid('222', '(p % 1000 + 1)::text')},
        case when p < 20000 and p % 2 = 0 then ${uuid('444', '(p % 1000 + 1)::text')} end,
        case when p < 20000 and p % 2 = 1 then ${uuid('222', '(p % 1000 + 1)::text')} end
      from generate_series(1, ${ROWS}) n cross join lateral (select n * 7919::bigint % ${PRIME} as p) q;
    insert into ${schema}.depot_parts (id, version, created_at, updated_at, article, quantity)
      select ${uuid('333', 'n::text')}, 1, now(), now(), ${uuid('000', '(n * 5)::text')}, n
      from generate_series(1, 200000) n;
    ${indexes.map(({ sql }) => `${sql};`).join('\n')}
    analyze ${schema}.depot_shelves, ${schema}.depot_boxes, ${schema}.depot_articles, ${schema}.depot_parts;
  `);
}
