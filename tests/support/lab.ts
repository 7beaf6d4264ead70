/** A small organisation with every kind of field and right, for tests of the paths that read and write records. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '#engine/clock.ts';
import { sessionOf } from '#engine/db/database.ts';
import { Database } from '#engine/db/database.ts';
import { qualified, quote, tenantNames } from '#engine/db/identifiers.ts';
import type { Principal } from '#engine/identity/principal.ts';
import { assignIdentities, buildModel } from '#engine/model/build.ts';
import type { Pack } from '#engine/model/documents.ts';
import type { Entity, Model } from '#engine/model/model.ts';
import { rightsOf } from '#engine/model/rights.ts';
import type { Tenant } from '#engine/model/tenant.ts';
import type { Scope } from '#engine/records/scope.ts';
import {
  addReference,
  checkSql,
  createIndex,
  createPolicy,
  createRole,
  createSequence,
  createTable,
  tableName,
} from '#engine/schema/ddl.ts';
import { desiredState } from '#engine/schema/desired.ts';
import type { DesiredState } from '#engine/schema/state.ts';
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

const core = pack('core', [
  { kind: 'role', key: 'administrator', label: 'Administrator', administrator: true },
  { kind: 'role', key: 'member', label: 'Member' },
  {
    kind: 'entity',
    key: 'team',
    plural: 'teams',
    label: 'Team',
    title: '{name}',
    fields: [{ key: 'name', type: 'text', required: true, unique: true }],
  },
  {
    kind: 'entity',
    key: 'user',
    plural: 'users',
    label: 'User',
    title: '{name}',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'email', type: 'email', required: true, unique: true },
      { key: 'team', type: 'team', onDelete: 'restrict' },
    ],
  },
  { kind: 'permission', role: 'member', entity: 'core.user', actions: ['read'] },
  { kind: 'permission', role: 'member', entity: 'core.team', actions: ['read'] },
]);

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
  ...['site', 'project', 'memo'].map((entity) => ({
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
  /** A new user with these roles, and what they act with. */
  person(...roles: readonly string[]): Promise<Scope>;
  entity(key: string): Entity;
  /** What is really there, seen by the superuser; `$1::uuid` and so on as usual. */
  look(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

export async function makeLab(test: TestDatabase, options: { clock?: Clock; predicates?: boolean } = {}): Promise<Lab> {
  const database = new Database({
    address: test.address,
    app: test.app,
    owner: test.owner,
    connections: 6,
    ...(options.clock ? { clock: options.clock } : {}),
  });
  const businessHours = { timeZone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' };
  const tenant: Tenant = {
    id: randomUUID(),
    key: 'acme',
    name: 'Acme',
    country: 'DE',
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    locale: 'en',
    businessHours,
    names: tenantNames(test.rolePrefix, 'acme'),
  };
  const source = {
    tenant: tenant.key,
    release: 1,
    packs: [core, lab],
    tenantDocuments: [],
    settings: { currency: tenant.currency, country: tenant.country, timeZone: tenant.timeZone, locale: tenant.locale },
  };
  const model = buildModel({ ...source, identities: assignIdentities(source) });
  await test.superuser.query(
    `insert into armature.tenant (id, key, name, country, currency, time_zone, locale, business_hours) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      tenant.id,
      tenant.key,
      tenant.name,
      tenant.country,
      tenant.currency,
      tenant.timeZone,
      tenant.locale,
      JSON.stringify(businessHours),
    ],
  );
  await install(database, tenant, desiredState(tenant, model));

  const look: Lab['look'] = async (sql, values = []) => (await test.superuser.query(sql, [...values])).rows;
  const entity = (key: string): Entity => {
    const found = model.entities.get(`lab.${key}`);
    if (!found) throw new Error(`no entity ${key}`);
    return found;
  };
  const person: Lab['person'] = async (...roles) => {
    const id = randomUUID();
    const dbRole = roles.length === 1 ? tenant.names.role(roles[0] ?? '') : tenant.names.roleSet(roles);
    if (roles.length > 1) await roleSet(database, tenant, dbRole, roles);
    await database.ownerTransaction((client) =>
      client.query(
        `insert into ${qualified(tenant.names.schema, 'core_users')} (id, name, email) values ($1, $2, $3)`,
        [id, id, `${id}@acme.test`],
      ),
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
  return { database, tenant, model, person, entity, look };
}

async function roleSet(database: Database, tenant: Tenant, name: string, roles: readonly string[]): Promise<void> {
  await database.ownerTransaction(async (client) => {
    for (const sql of createRole(name)) await client.query(sql);
    for (const role of roles)
      await client.query(`grant ${quote(tenant.names.role(role))} to ${quote(name)} with inherit true, set false`);
    await client.query('insert into armature.database_role (name, tenant_id, roles) values ($1, $2, $3)', [
      name,
      tenant.id,
      roles,
    ]);
  });
}

/** The schema at one go, without the plan and the durable steps of a publish. */
async function install(database: Database, tenant: Tenant, state: DesiredState): Promise<void> {
  await database.ownerTransaction(async (client) => {
    const run = async (sql: string) => void (await client.query(sql));
    for (const [name, role] of Object.entries(state.roles)) {
      for (const sql of createRole(name)) await run(sql);
      await client.query('insert into armature.database_role (name, tenant_id, roles) values ($1, $2, $3)', [
        name,
        tenant.id,
        role.key === null ? [] : [role.key],
      ]);
    }
    for (const [name, role] of Object.entries(state.roles)) {
      for (const parent of role.inherits)
        await run(`grant ${quote(parent)} to ${quote(name)} with inherit true, set false`);
    }
    await run(`create schema ${quote(state.schema)}`);
    await run(`grant usage on schema ${quote(state.schema)} to ${Object.keys(state.roles).map(quote).join(', ')}`);
    for (const sequence of Object.values(state.sequences)) {
      await run(createSequence(state, sequence));
      if (sequence.users.length > 0)
        await run(
          `grant usage on sequence ${qualified(state.schema, sequence.name)} to ${sequence.users.map(quote).join(', ')}`,
        );
    }
    const tables = Object.values(state.tables);
    for (const table of tables) for (const sql of createTable(state, table)) await run(sql);
    for (const sql of Object.values(state.functions)) await run(sql);
    for (const table of tables) {
      const name = tableName(state, table);
      for (const [key, check] of Object.entries(table.checks))
        await run(`alter table ${name} add constraint ${quote(key)} check (${checkSql(table, check)})`);
      for (const [key, reference] of Object.entries(table.references))
        await run(addReference(state, table, key, reference));
      for (const [key, index] of Object.entries(table.indexes)) await run(createIndex(state, table, key, index));
      for (const sql of Object.values(table.triggers)) await run(sql);
      for (const [key, policy] of Object.entries(table.policies)) await run(createPolicy(state, table, key, policy));
      const columns = (ids: readonly string[]) => ids.map((id) => quote(table.columns[id]?.name ?? id)).join(', ');
      for (const [role, grant] of Object.entries(table.grants)) {
        if (grant.select === 'all') await run(`grant select on ${name} to ${quote(role)}`);
        else if (grant.select.length > 0)
          await run(`grant select (${columns(grant.select)}) on ${name} to ${quote(role)}`);
        if (grant.insert.length > 0) await run(`grant insert (${columns(grant.insert)}) on ${name} to ${quote(role)}`);
        if (grant.update.length > 0) await run(`grant update (${columns(grant.update)}) on ${name} to ${quote(role)}`);
        if (grant.delete) await run(`grant delete on ${name} to ${quote(role)}`);
      }
    }
  });
}
