/** Organisations with a schema that was really published, for tests of what Postgres does with it. */
import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import { type Clock, systemIds } from '#engine/clock.ts';
import { bareSession, Database, type Session } from '#engine/db/database.ts';
import { qualified, quote } from '#engine/db/identifiers.ts';
import type { Pack } from '#engine/model/documents.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Tenant } from '#engine/model/tenant.ts';
import { ModelStore } from '#engine/schema/model-store.ts';
import type { Plan } from '#engine/schema/plan.ts';
import { StepRunner } from '#engine/schema/deferred/runner.ts';
import { Steps } from '#engine/schema/deferred/steps.ts';
import { Publisher } from '#engine/schema/publish.ts';
import type { Release } from '#engine/schema/release-store.ts';
import { ensureRoleSet } from '#engine/schema/role-sets.ts';
import type { TenantDocument } from '#engine/schema/source.ts';
import { createTenant } from '#engine/schema/tenants.ts';
import type { TestDatabase } from './postgres.ts';

type Cell = string | number | boolean | null;
export type Row = Readonly<Record<string, Cell>>;

export interface SchemaLab {
  readonly database: Database;
  readonly models: ModelStore;
  readonly publisher: Publisher;
  readonly steps: Steps;
  readonly runner: StepRunner;
  organisation(
    key: string,
    options?: { packs?: readonly string[]; documents?: readonly TenantDocument[] },
  ): Promise<Organisation>;
}

/** Everything it opens is closed after the file's last test. */
export function schemaLab(
  test: TestDatabase,
  options: { packs?: readonly Pack[]; deferAbove?: number; clock?: Clock; patience?: number } = {},
): SchemaLab {
  const database = new Database({
    address: test.address,
    app: test.app,
    owner: test.owner,
    connections: 6,
    ...(options.clock && { clock: options.clock }),
  });
  const models = new ModelStore({ database });
  const publisher = new Publisher({ database, onPublished: models.published, ...options });
  const steps = new Steps({ database });
  const runner = new StepRunner({ database, pause: 10 });
  afterAll(async () => {
    await models.close();
    await database.close();
  });
  return {
    database,
    models,
    publisher,
    steps,
    runner,
    organisation: async (key, { packs = [], documents } = {}) => {
      const tenant = await createTenant(
        { database, ids: systemIds, publisher },
        { key, name: key, country: 'DE', currency: 'EUR', timeZone: 'Europe/Berlin', locale: 'en', packs },
      );
      const organisation = new Organisation(database, models, publisher, tenant);
      if (documents) await organisation.publish(documents);
      return organisation;
    },
  };
}

/** Ids and what is named after them. */
const INTERNAL = /[efhlu]_[0-9a-f]{12}|\bzz_|\b(?:before|after|search|assign|merge|similar|purge|minutes|fill|reach)_/;

/** Whatever a test publishes: its plan has no name in it that people do not know. */
function inWords({ steps, warnings }: Plan): void {
  const odd = [...steps.flatMap(({ title, why }) => [title, why]), ...warnings].filter((said) => INTERNAL.test(said));
  if (odd.length > 0) throw new Error(`a plan says: ${odd.join(' ')}`);
}

export class Organisation {
  readonly tenant: Tenant;
  readonly #database: Database;
  readonly #models: ModelStore;
  readonly #publisher: Publisher;

  constructor(database: Database, models: ModelStore, publisher: Publisher, tenant: Tenant) {
    this.#database = database;
    this.#models = models;
    this.#publisher = publisher;
    this.tenant = tenant;
  }

  async release(): Promise<number> {
    return (await this.#publisher.documents(this.tenant.key)).release;
  }

  /** On the current release, with these as the organisation's own documents. */
  async publish(documents: readonly TenantDocument[]): Promise<Release> {
    const release = await this.#publisher.publish(this.tenant.key, {
      base: await this.release(),
      author: 'test',
      message: 'test',
      documents,
    });
    inWords(release.plan);
    return release;
  }

  async rollback(to: number): Promise<Release> {
    const release = await this.#publisher.rollback(this.tenant.key, {
      base: await this.release(),
      to,
      author: 'test',
      message: 'back',
    });
    inWords(release.plan);
    return release;
  }

  async plan(documents: readonly TenantDocument[]): Promise<Plan> {
    const plan = await this.#publisher.plan(this.tenant.key, { documents });
    inWords(plan);
    return plan;
  }

  async entity(name: string): Promise<Entity> {
    const found = (await this.#models.get(this.tenant.key)).model.entities.get(name);
    if (!found) throw new Error(`no entity ${name}`);
    return found;
  }

  async field(entity: string, key: string): Promise<Field> {
    const found = (await this.entity(entity)).fields.get(key);
    if (!found) throw new Error(`no field ${key}`);
    return found;
  }

  /** Somebody with these roles; without any, the service principals. */
  async person(...roles: readonly string[]): Promise<Session> {
    const { names } = this.tenant;
    if (roles.length === 0) return bareSession(names.system);
    const userId = randomUUID();
    await this.insert(await this.person(), 'core_users', { id: userId, name: userId, email: `${userId}@example.test` });
    const role = await ensureRoleSet(this.#database, this.tenant, roles);
    return { ...bareSession(role), userId, roles };
  }

  /** `$table` stands for the schema's quoted table: `select * from $crm_accounts`. */
  async sql(
    session: Session,
    text: string,
    values: readonly Cell[] = [],
  ): Promise<readonly (readonly (string | null)[])[]> {
    const named = text.replaceAll(/\$([a-z]\w*)/g, (_, table: string) => qualified(this.tenant.names.schema, table));
    const bound = values.map((value) => (value === null ? null : String(value)));
    const [result] = await this.#database.batch(session, [{ text: named, values: bound }]);
    return result?.rows ?? [];
  }

  /** @returns the record's id */
  async insert(session: Session, table: string, row: Row): Promise<string> {
    const record: Row = { id: randomUUID(), ...row };
    const columns = Object.keys(record);
    const marks = columns.map((_, index) => `$${index + 1}`);
    await this.sql(
      session,
      `insert into $${table} (${columns.map(quote).join(', ')}) values (${marks.join(', ')})`,
      Object.values(record),
    );
    return String(record['id']);
  }

  /** @returns how many rows it reached */
  async update(session: Session, table: string, id: string, row: Row): Promise<number> {
    const sets = Object.keys(row).map((column, index) => `${quote(column)} = $${index + 2}`);
    const rows = await this.sql(session, `update $${table} set ${sets.join(', ')} where id = $1 returning id`, [
      id,
      ...Object.values(row),
    ]);
    return rows.length;
  }
}
