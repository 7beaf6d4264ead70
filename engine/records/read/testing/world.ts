/**
 * The small trade in a database. Its tables are made here by hand and carry no row policies, so that what a reader sees
 * is what the compiler lets through, and nothing else.
 */
import type pg from 'pg';
import { systemClock } from '../../../clock.ts';
import { Database } from '../../../db/database.ts';
import type { Session } from '../../../db/database.ts';
import type { Statement, StatementResult } from '../../../db/execute.ts';
import { literal, qualified, quote } from '../../../db/identifiers.ts';
import type { Entity, Model } from '../../../model/model.ts';
import type { Tenant } from '../../../model/tenant.ts';
import type { TestDatabase } from '../../../../tests/support/postgres.ts';
import { parseJsonQuery } from '../../query/json.ts';
import { parseUrlQuery } from '../../query/url.ts';
import { parseSelect } from '../../query/terms.ts';
import type { Scope } from '../../scope.ts';
import { Reader } from '../reader.ts';
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

  private constructor(test: TestDatabase, model: Model) {
    this.database = new Watched({ address: test.address, app: test.app, owner: test.owner, connections: 2 });
    this.reader = new Reader({ database: this.database, secret: test.secret, clock: systemClock });
    this.tenant = tradeTenant(test.rolePrefix);
    this.model = model;
    this.#superuser = test.superuser;
  }

  static async open(test: TestDatabase): Promise<World> {
    const world = new World(test, await tradeModel());
    await world.#create();
    return world;
  }

  async #create(): Promise<void> {
    const { names } = this.tenant;
    const sql: string[] = [`create schema ${quote(names.schema)}`];
    for (const entity of this.model.entities.values()) sql.push(...this.#tables(entity));
    for (const role of [...this.model.roles.keys()].map((key) => names.role(key))) {
      sql.push(
        `create role ${quote(role)}`,
        `grant ${quote(role)} to armature_app with inherit false, set true`,
        `grant armature_tenant to ${quote(role)}`,
        `grant usage on schema ${quote(names.schema)} to ${quote(role)}`,
        `grant select on all tables in schema ${quote(names.schema)} to ${quote(role)}`,
      );
    }
    await this.#superuser.query(sql.join(';\n'));
  }

  #tables(entity: Entity): string[] {
    const columns = [...entity.fields.values()].flatMap((field) =>
      field.type.columns(field).map((column) => {
        const own =
          {
            version: ' not null default 1',
            created_at: ' not null default now()',
            updated_at: ' not null default now()',
          }[column.name] ?? '';
        const fallback = typeof field.default === 'string' ? ` default ${literal(field.default)}` : '';
        return `${quote(column.name)} ${column.type}${own}${fallback}${column.name === 'id' ? ' primary key' : field.required && own === '' ? ' not null' : ''}`;
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
    const entries = Object.entries({ id, ...values });
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

  close(): Promise<void> {
    return this.database.close();
  }
}

/** `id(7)`: ids that are easy to tell apart, and grow. */
export function id(number: number): string {
  return `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

export const ANNA = id(101);
export const BEN = id(102);
