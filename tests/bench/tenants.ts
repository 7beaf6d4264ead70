/**
 * Organisations for the benchmark, made beside the running server as the command line makes them: really created, with a
 * small pack of two entities that is published for each of them. Two entities are few; a model of forty takes more of
 * the server's memory (see `MAX_ENTITIES` in the model store).
 */
import { openApp } from '#engine/app.ts';
import { readConfig } from '#engine/config.ts';
import { qualified } from '#engine/db/identifiers.ts';
import { addAdministrator } from '#engine/organisation.ts';
import { scopeFor } from '#engine/identity/scope-for.ts';
import type { Pack } from '#engine/model/documents.ts';
import { loadShippedPacks } from '#engine/model/packs.ts';
import { Publisher } from '#engine/schema/publish.ts';
import { createTenant } from '#engine/schema/tenants.ts';

const ALL = ['create', 'read', 'update', 'delete'];
const DOCUMENTS: readonly Record<string, unknown>[] = [
  { kind: 'pack', key: 'bench', version: '1.0.0', label: 'Benchmark' },
  { kind: 'role', key: 'boss', label: 'Boss', inherits: ['member'] },
  { kind: 'role', key: 'rep', label: 'Representative', inherits: ['member'] },
  {
    kind: 'entity',
    key: 'topic',
    plural: 'topics',
    label: 'Topic',
    title: '{name}',
    fields: [{ key: 'name', type: 'text', required: true }],
  },
  {
    kind: 'entity',
    key: 'ticket',
    plural: 'tickets',
    label: 'Ticket',
    title: '{name}',
    owner: true,
    softDelete: true,
    sharing: true,
    fields: [
      { key: 'name', type: 'text', required: true, max: 80 },
      { key: 'amount', type: 'decimal', scale: 2, index: true },
      { key: 'topic', type: 'reference', to: 'bench.topic' },
    ],
  },
  { kind: 'permission', role: 'boss', entity: 'bench.topic', actions: ALL },
  { kind: 'permission', role: 'boss', entity: 'bench.ticket', actions: ALL },
  { kind: 'permission', role: 'rep', entity: 'bench.ticket', actions: ALL, conditions: { owner: 'self' } },
];
const PACK: Pack = {
  key: 'bench',
  version: '1.0.0',
  documents: DOCUMENTS.map((document, index) => ({ document, source: `bench/${index}.json`, pack: 'bench' })),
};

export interface BenchTenant {
  readonly key: string;
  /** Bearer tokens of somebody who sees all tickets, and of somebody who sees their own. */
  readonly boss: string;
  readonly rep: string;
}

export interface TenantMaker {
  /** @param rows tickets; every tenth belongs to the representative */
  make(key: string, rows: number): Promise<BenchTenant>;
  /** What autovacuum does within a minute: without statistics Postgres plans by guesses. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const YEAR = 365 * 86_400_000;

export async function openTenantMaker(home: string): Promise<TenantMaker> {
  const app = await openApp(readConfig({ ...process.env, ARMATURE_HOME: home, LOG_LEVEL: 'warn' }), { mode: 'tool' });
  const { services } = app;
  const { database, ids, models } = services;
  const publisher = new Publisher({ database, onPublished: () => {}, packs: [...(await loadShippedPacks()), PACK] });

  const make = async (key: string, rows: number): Promise<BenchTenant> => {
    const tenant = await createTenant(
      { database, ids, publisher },
      { key, name: key, country: 'DE', currency: 'EUR', timeZone: 'UTC', locale: 'en', packs: ['bench'] },
    );
    const admin = await addAdministrator(services, key, { name: 'Ada Admin', email: `admin@${key}.example` });
    const { principal } = await services.identity.issueToken({
      tenant: key,
      user: { email: `admin@${key}.example` },
      label: 'bench',
      ttl: YEAR,
    });
    const scope = await scopeFor(models, principal);
    const users = scope.model.entities.get('core.user');
    if (!users) throw new Error('no users');
    const person = async (role: string): Promise<{ id: string; token: string }> => {
      const email = `${role}@${key}.example`;
      const { id } = await services.writer.create(scope, users, { name: role, email, roles: [role] });
      const issued = await services.identity.issueToken({ tenant: key, user: { email }, label: 'bench', ttl: YEAR });
      return { id: id ?? admin.userId, token: issued.token };
    };
    const boss = await person('boss');
    const rep = await person('rep');
    const table = qualified(tenant.names.schema, 'bench_tickets');
    // As the owner and past the triggers: what is measured is reading.
    await database.ownerTransaction(async (client) => {
      await client.query(`alter table ${table} disable trigger user`);
      await client.query(
        `insert into ${table} (id, version, created_at, updated_at, owner, name, amount)
         select uuidv7(make_interval(secs => n - $1::int)), 1, now(), now(), case when n % 10 = 0 then $2::uuid else $3::uuid end,
         'Ticket ' || n, (n::bigint * 7919 % 100000) / 100.0 from generate_series(1, $1::int) n`,
        [rows, rep.id, boss.id],
      );
      await client.query(`alter table ${table} enable trigger user`);
    });
    if (rows > 500) await database.asOwner((client) => client.query(`vacuum analyze ${table}`));
    return { key, boss: boss.token, rep: rep.token };
  };
  const settle = async (): Promise<void> => {
    await database.asOwner((client) => client.query('vacuum analyze'));
  };
  return { make, settle, close: () => app.close() };
}

/** Several at a time: the owner has three connections. */
export async function makeMany(maker: TenantMaker, keys: readonly string[], rows: number): Promise<BenchTenant[]> {
  const made: BenchTenant[] = [];
  const left = [...keys];
  const worker = async (): Promise<void> => {
    for (let key = left.shift(); key !== undefined; key = left.shift()) made.push(await maker.make(key, rows));
  };
  await Promise.all([worker(), worker(), worker()]);
  return made;
}
