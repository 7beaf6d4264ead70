/**
 * The small trade in a database. Either published, with grants and row policies; or with tables made here by hand and
 * without any policy, so that what a reader sees is what the compiler lets through, and nothing else.
 */
import type pg from 'pg';
import { type Clock, systemClock, systemIds } from '../../../clock.ts';
import { Database } from '../../../db/database.ts';
import type { Session } from '../../../db/database.ts';
import type { Statement, StatementResult } from '../../../db/execute.ts';
import { literal, qualified, quote } from '../../../db/identifiers.ts';
import type { Entity, Model } from '../../../model/model.ts';
import { loadShippedPacks } from '../../../model/packs.ts';
import type { Tenant, TenantModel } from '../../../model/tenant.ts';
import { SHARED_RECORDS } from '../../../condition/to-sql.ts';
import { desiredState } from '../../../schema/desired.ts';
import { ModelStore } from '../../../schema/model-store.ts';
import { Publisher } from '../../../schema/publish.ts';
import { SHARES } from '../../../schema/shares.ts';
import { createTenant } from '../../../schema/tenants.ts';
import type { TestDatabase } from '../../../../tests/support/postgres.ts';
import { parseJsonQuery } from '../../query/json.ts';
import { parseUrlQuery } from '../../query/url.ts';
import { parseSelect } from '../../query/terms.ts';
import type { Scope } from '../../scope.ts';
import { Reader } from '../reader.ts';
import { tradePack } from './documents.ts';
import { entityOf, scopeOf, tradeModel, tradeTenant } from './model.ts';

export interface Answer {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly page: { readonly next: string | null; readonly prev: string | null };
  readonly count: { readonly value: number; readonly mode: string } | null;
}

/** Counts what is sent. */
class Watched extends Database {
  batches: (readonly Statement[])[] = [];

  override batch(session: Session, statements: readonly Statement[]): Promise<StatementResult[]> {
    this.batches.push(statements);
    return super.batch(session, statements);
  }
}

export class World {
  readonly database: Watched;
  readonly reader: Reader;
  readonly tenant: Tenant;
  readonly model: Model;
  readonly #superuser: pg.Client;
  readonly #models: ModelStore | null;

  private constructor(
    test: TestDatabase,
    database: Watched,
    { tenant, model }: TenantModel,
    models: ModelStore | null,
    clock: Clock,
  ) {
    this.database = database;
    this.reader = new Reader({ database, secret: test.secret, clock });
    this.tenant = tenant;
    this.model = model;
    this.#superuser = test.superuser;
    this.#models = models;
  }

  static async open(test: TestDatabase, published: boolean, clock = systemClock): Promise<World> {
    const database = new Watched({ address: test.address, app: test.app, owner: test.owner, connections: 2, clock });
    // Records are put there as the tests need them, whatever triggers and foreign keys would say.
    await test.superuser.query('set session_replication_role = replica');
    if (published) {
      const packs = (await loadShippedPacks()).filter((pack) => pack.key === 'core');
      const publisher = new Publisher({ database, packs: [...packs, tradePack] });
      const wanted = {
        key: 'trade',
        name: 'Trade',
        country: 'DE',
        currency: 'EUR',
        timeZone: 'Europe/Berlin',
        locale: 'en',
        packs: ['trade'],
      };
      await createTenant({ database, ids: systemIds, publisher }, wanted);
      const models = new ModelStore({ database });
      return new World(test, database, await models.get('trade'), models, clock);
    }
    const own = { tenant: tradeTenant(test.rolePrefix), model: await tradeModel() };
    const world = new World(test, database, own, null, clock);
    await world.#create();
    return world;
  }

  async #create(): Promise<void> {
    const { names } = this.tenant;
    const sql: string[] = [`create schema ${quote(names.schema)}`];
    for (const entity of this.model.entities.values()) sql.push(...this.#tables(entity));
    const { functions, tables } = desiredState(this.tenant, this.model);
    const shares = Object.values(tables[SHARES]?.columns ?? {}).map(({ name, type }) => `${quote(name)} ${type}`);
    sql.push(`create table ${qualified(names.schema, SHARES)} (${shares.join(', ')})`);
    for (const role of [...this.model.roles.keys()].map((key) => names.role(key))) {
      sql.push(
        `create role ${quote(role)}`,
        `grant ${quote(role)} to armature_app with inherit false, set true`,
        `grant armature_tenant to ${quote(role)}`,
        `grant usage on schema ${quote(names.schema)} to ${quote(role)}`,
        `grant select on all tables in schema ${quote(names.schema)} to ${quote(role)}`,
      );
    }
    // Those of searching bring candidates and decide nothing.
    const asked = (name: string): boolean => name.startsWith('search_') || name === SHARED_RECORDS;
    sql.push(...Object.entries(functions).flatMap(([name, text]) => (asked(name) ? [text] : [])));
    await this.#superuser.query(sql.join(';\n'));
  }

  #tables(entity: Entity): string[] {
    const columns = [...entity.fields.values()].flatMap((field) =>
      field.type.columns(field).map((column) => {
        const fallback = typeof field.default === 'string' ? ` default ${literal(field.default)}` : '';
        return `${quote(column.name)} ${column.type}${fallback}${column.name === 'id' ? ' primary key' : field.required ? ' not null' : ''}`;
      }),
    );
    const { schema } = this.tenant.names;
    const history = `create table ${qualified(schema, `h_${entity.table}`)} (id bigint generated always as identity, record_id uuid, version integer, field_id text, old jsonb, new jsonb, at timestamptz(3), actor uuid)`;
    return [
      `create table ${qualified(schema, entity.table)} (${columns.join(', ')})`,
      ...(entity.history ? [history] : []),
    ];
  }

  /** @param values texts as Postgres reads them */
  async insert(entity: string, id: string, values: Readonly<Record<string, string | null>>): Promise<void> {
    const at = '2026-01-01T00:00:00Z';
    const entries = Object.entries({ id, version: '1', created_at: at, updated_at: at, ...values });
    const table = qualified(this.tenant.names.schema, entityOf(this.model, entity).table);
    const list = entries.map(([, value]) => (value === null ? 'null' : literal(value)));
    await this.#superuser.query(
      `insert into ${table} (${entries.map(([key]) => quote(key)).join(', ')}) values (${list.join(', ')})`,
    );
  }

  query(sql: string): Promise<pg.QueryResult> {
    return this.#superuser.query(sql);
  }

  entity(name: string): Entity {
    return entityOf(this.model, name);
  }

  as(role: string, userId = ANNA): Scope {
    return scopeOf(this.tenant, this.model, role, userId);
  }

  /** @param query a query string, or the JSON form */
  async list(scope: Scope, entity: string, query: string | object): Promise<Answer> {
    const parsed = typeof query === 'string' ? parseUrlQuery(query) : parseJsonQuery(query);
    const { body } = await this.reader.list(scope, this.entity(entity), parsed);
    return JSON.parse(body) as Answer;
  }

  async one(
    scope: Scope,
    entity: string,
    id: string,
    select?: string,
  ): Promise<Readonly<Record<string, unknown>> | null> {
    const found = await this.reader.one(
      scope,
      this.entity(entity),
      id,
      select === undefined ? null : parseSelect(select),
    );
    return found === null ? null : (JSON.parse(found.body) as { data: Readonly<Record<string, unknown>> }).data;
  }

  async close(): Promise<void> {
    await this.#models?.close();
    await this.database.close();
  }
}

/** `id(7)`: ids that are easy to tell apart, and grow. */
export function id(number: number): string {
  return `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

export const ANNA = id(101);
export const BEN = id(102);
