/** A small organisation with every kind of field and right, for tests of the paths that read and write records. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '#engine/clock.ts';
import { systemIds } from '#engine/clock.ts';
import { Database, sessionOf } from '#engine/db/database.ts';
import { qualified } from '#engine/db/identifiers.ts';
import type { Principal } from '#engine/identity/principal.ts';
import type { Pack } from '#engine/model/documents.ts';
import type { Entity, Model } from '#engine/model/model.ts';
import { loadShippedPacks } from '#engine/model/packs.ts';
import { rightsOf } from '#engine/model/rights.ts';
import type { Tenant } from '#engine/model/tenant.ts';
import type { Scope } from '#engine/records/scope.ts';
import { ModelStore } from '#engine/schema/model-store.ts';
import { Publisher } from '#engine/schema/publish.ts';
import { ensureRoleSet } from '#engine/schema/role-sets.ts';
import { createTenant } from '#engine/schema/tenants.ts';
import { openVault } from '#engine/vault.ts';
import type { TestDatabase } from './postgres.ts';

const pack = (key: string, documents: readonly Record<string, unknown>[]): Pack => ({
  key,
  version: '1.0.0',
  documents: [{ kind: 'pack', key, version: '1.0.0', label: key }, ...documents].map((document, index) => ({
    document,
    source: `${key}/${index}.json`,
    pack: key,
  })),
});

const ALL = ['create', 'read', 'update', 'delete', 'import', 'export'];
const MINE = { owner: 'self' };

const lab = pack('lab', [
  ...['chief', 'worker', 'looker', 'giver', 'starter', 'mixed'].map((key) => ({
    kind: 'role',
    key,
    label: key,
    inherits: ['member'],
  })),
  {
    kind: 'lifecycle',
    key: 'progress',
    label: 'Progress',
    initial: 'planned',
    createIn: ['planned', 'running'],
    states: [{ key: 'planned' }, { key: 'running' }, { key: 'finished' }, { key: 'dropped' }],
    transitions: [
      { key: 'begin', label: 'Begin', from: ['planned'], to: 'running' },
      {
        key: 'finish',
        label: 'Finish',
        from: ['running'],
        to: 'finished',
        requires: ['budget'],
        sets: { closed_on: { today: true } },
        guard: { fact: 'budget', operator: 'greaterThan', value: '0' },
        guardMessage: 'A finished project has cost something.',
      },
      { key: 'drop', label: 'Drop', from: ['planned', 'running'], to: 'dropped', requires: ['reason'] },
    ],
  },
  {
    kind: 'entity',
    key: 'site',
    plural: 'sites',
    label: 'Site',
    pluralLabel: 'Sites',
    title: '{name}',
    softDelete: true,
    owner: true,
    fields: [
      { key: 'name', type: 'text', required: true, unique: true, max: 80 },
      { key: 'region', type: 'text' },
    ],
  },
  {
    kind: 'entity',
    key: 'project',
    plural: 'projects',
    label: 'Project',
    pluralLabel: 'Projects',
    title: '{name}',
    owner: true,
    softDelete: true,
    history: true,
    fields: [
      { key: 'name', type: 'text', required: true, max: 100, search: 'A' },
      { key: 'code', type: 'text', unique: true, max: 20 },
      { key: 'number', type: 'sequence', prefix: 'P-' },
      { key: 'site', type: 'reference', to: 'lab.site', onDelete: 'restrict', index: true },
      { key: 'leader', type: 'user' },
      { key: 'stage', type: 'state', lifecycle: 'lab.progress' },
      {
        key: 'kind',
        type: 'choice',
        choices: [
          { key: 'inner', label: 'Inner' },
          { key: 'outer', label: 'Outer Space' },
        ],
      },
      { key: 'budget', type: 'money' },
      { key: 'effort', type: 'integer', min: 0, max: 1000, default: 1 },
      { key: 'starts_on', type: 'date' },
      { key: 'meets_at', type: 'datetime' },
      { key: 'secret', type: 'text' },
      { key: 'urgent', type: 'boolean' },
      { key: 'words', type: 'tags' },
      { key: 'reason', type: 'text' },
      { key: 'closed_on', type: 'date' },
      { key: 'twice', type: 'formula', returns: 'integer', expr: 'effort * 2' },
      { key: 'items', type: 'children', of: 'lab.item' },
    ],
  },
  {
    kind: 'entity',
    key: 'item',
    plural: 'items',
    label: 'Item',
    title: '{label}',
    parent: 'project',
    fields: [
      { key: 'project', type: 'reference', to: 'lab.project', required: true, onDelete: 'cascade', index: true },
      { key: 'label', type: 'text', required: true, max: 50 },
      { key: 'pieces', type: 'integer', min: 1 },
      { key: 'source', type: 'reference', to: 'lab.site' },
      { key: 'screws', type: 'children', of: 'lab.screw' },
    ],
  },
  {
    kind: 'entity',
    key: 'screw',
    plural: 'screws',
    label: 'Screw',
    title: '{size}',
    parent: 'item',
    fields: [
      { key: 'item', type: 'reference', to: 'lab.item', required: true, onDelete: 'cascade', index: true },
      { key: 'size', type: 'text', required: true, max: 10 },
    ],
  },
  {
    kind: 'entity',
    key: 'memo',
    plural: 'memos',
    label: 'Memo',
    title: '{text}',
    fields: [
      { key: 'text', type: 'text', required: true },
      { key: 'project', type: 'reference', to: 'lab.project', onDelete: 'clear' },
    ],
  },
  {
    kind: 'entity',
    key: 'seat',
    plural: 'seats',
    label: 'Seat',
    pluralLabel: 'Seats',
    title: '{line}{place}',
    owner: true,
    softDelete: true,
    unique: [['line', 'place']],
    fields: [
      { key: 'line', type: 'text', required: true, max: 10 },
      { key: 'place', type: 'integer', required: true },
      { key: 'guest', type: 'text' },
      { key: 'badge', type: 'text', unique: true },
    ],
  },
  {
    kind: 'entity',
    key: 'deed',
    plural: 'deeds',
    label: 'Deed',
    pluralLabel: 'Deeds',
    title: '{name}',
    softDelete: true,
    concurrency: 'required',
    fields: [{ key: 'name', type: 'text', required: true, unique: true }],
  },
  ...['site', 'project', 'memo', 'seat', 'deed'].map((entity) => ({
    kind: 'permission',
    role: 'chief',
    entity: `lab.${entity}`,
    actions: ALL,
  })),
  {
    kind: 'permission',
    role: 'worker',
    entity: 'lab.project',
    actions: ALL,
    conditions: MINE,
    transitions: ['begin', 'finish'],
    fields: {
      read: { except: ['secret'] },
      create: { except: ['secret', 'budget'] },
      update: { except: ['secret', 'closed_on'] },
    },
  },
  // Sees its own seats, with badges, and of all others where they are.
  { kind: 'permission', role: 'worker', entity: 'lab.seat', actions: ALL, conditions: MINE },
  {
    kind: 'permission',
    key: 'places',
    role: 'worker',
    entity: 'lab.seat',
    actions: ['read'],
    fields: { read: { only: ['line'] } },
  },
  { kind: 'permission', role: 'worker', entity: 'lab.site', actions: ['read', 'create'], conditions: MINE },
  { kind: 'permission', role: 'looker', entity: 'lab.project', actions: ['read'] },
  { kind: 'permission', role: 'giver', entity: 'lab.project', actions: ['create'] },
  { kind: 'permission', role: 'starter', entity: 'lab.project', actions: ['create', 'read'] },
  // Reads all; changes the name of inner ones and the effort of its own.
  { kind: 'permission', role: 'mixed', entity: 'lab.project', actions: ['read'] },
  {
    kind: 'permission',
    key: 'inner',
    role: 'mixed',
    entity: 'lab.project',
    actions: ['update', 'create'],
    fields: { update: { only: ['name'] }, create: { only: ['name', 'kind'] } },
    condition: { fact: 'kind', operator: 'equal', value: 'inner' },
  },
  {
    kind: 'permission',
    key: 'own',
    role: 'mixed',
    entity: 'lab.project',
    actions: ['update', 'create'],
    fields: { update: { only: ['effort'] }, create: { only: ['name', 'effort'] } },
    conditions: MINE,
  },
]);

export interface Lab {
  readonly database: Database;
  readonly tenant: Tenant;
  readonly model: Model;
  readonly models: ModelStore;
  readonly publisher: Publisher;
  /** A new user with these roles, and what they act with. */
  person(...roles: readonly string[]): Promise<Scope>;
  entity(key: string): Entity;
  /** What is really there, seen by the superuser; `$1` and so on as usual. */
  look(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export interface LabOptions {
  readonly clock?: Clock;
  readonly predicates?: boolean;
  /** The documents of the pack `lab`, instead of those above. */
  readonly documents?: readonly Record<string, unknown>[];
  /** Shipped packs beside it. */
  readonly packs?: readonly string[];
}

/** The organisation `acme`, really published. */
export async function makeLab(test: TestDatabase, options: LabOptions = {}): Promise<Lab> {
  const { address, app, owner } = test;
  openVault(test.secret);
  const database = new Database({
    address,
    app,
    owner,
    connections: 6,
    ...(options.clock ? { clock: options.clock } : {}),
  });
  const models = new ModelStore({ database });
  const packs = [...(await loadShippedPacks()), options.documents ? pack('lab', options.documents) : lab];
  const publisher = new Publisher({ database, onPublished: models.published, packs });
  await createTenant(
    { database, ids: systemIds, publisher },
    {
      key: 'acme',
      name: 'Acme',
      country: 'DE',
      currency: 'EUR',
      timeZone: 'Europe/Berlin',
      locale: 'en',
      packs: [...(options.packs ?? []), 'lab'],
    },
  );
  const { tenant, model } = await models.get('acme');

  const person: Lab['person'] = async (...roles) => {
    const id = randomUUID();
    const dbRole = await ensureRoleSet(database, tenant, roles);
    await test.superuser.query(
      `insert into ${qualified(tenant.names.schema, 'core_users')} (id, name, email) values ($1, $2, $3)`,
      [id, id, `${id}@acme.test`],
    );
    const principal: Principal = {
      tenant: tenant.key,
      userId: id,
      name: id,
      email: `${id}@acme.test`,
      roles,
      dbRole,
      team: null,
      teams: [],
      teamMembers: [id],
      attributes: {},
      locale: 'en',
      timeZone: 'Europe/Berlin',
    };
    // The session is proved here once, so that a failing test is about what it tests.
    await database.batch(sessionOf(principal), [{ text: 'select 1', values: [] }]);
    return { tenant, model, principal, rights: rightsOf(model, roles), predicates: options.predicates ?? true };
  };
  return {
    database,
    tenant,
    model,
    models,
    publisher,
    person,
    entity: (key) => {
      const found = model.entities.get(`lab.${key}`);
      if (!found) throw new Error(`no entity ${key}`);
      return found;
    },
    look: async (sql, values = []) => (await test.superuser.query(sql, [...values])).rows,
    close: async () => {
      await models.close();
      await database.close();
    },
  };
}
