/** A double of the services for tests of HTTP alone: one entity, two people, no database. */
import { Readable } from 'node:stream';
import { FeedTokens } from '#engine/records/changes/token.ts';
import pino from 'pino';
import { fixedClock, systemIds } from '../../clock.ts';
import { Database } from '../../db/database.ts';
import { tenantNames } from '../../db/identifiers.ts';
import type { Principal } from '../../identity/principal.ts';
import { fieldTypes } from '../../model/fields/index.ts';
import type { Entity, Field, Model, Permission, Role } from '../../model/model.ts';
import type { Tenant } from '../../model/tenant.ts';
import { notFound, Problem } from '../../problem.ts';
import type { HttpServices, WriteAnswer } from '../ports.ts';

export const RECORD_ID = '01900000-0000-7000-8000-0000000000aa';
export const TOKENS = { admin: 'arm_admin', clerk: 'arm_clerk', nobody: 'arm_nobody' } as const;

function field(key: string, type: string, rest: Partial<Field> = {}): Field {
  const found = fieldTypes.get(type);
  if (!found) throw new TypeError(`no field type ${type}`);
  return {
    id: `f_${key}`,
    key,
    column: key,
    type: found,
    label: key,
    help: null,
    required: false,
    unique: false,
    index: false,
    search: null,
    default: undefined,
    fill: null,
    pause: null,
    flag: null,
    system: false,
    readOnly: false,
    reference: null,
    many: null,
    derived: null,
    rollup: null,
    children: null,
    choices: null,
    lifecycle: null,
    guards: null,
    formula: null,
    options: {},
    currencyField: null,
    companions: [],
    companionOf: null,
    ...rest,
  };
}

function permission(role: string, rest: Partial<Permission> = {}): Permission {
  const every = { read: null, create: null, update: null };
  return {
    id: `p_${role}`,
    role,
    entity: 'shop.thing',
    actions: new Set(['create', 'read', 'update', 'delete', 'import']),
    fields: every,
    transitions: null,
    condition: null,
    ...rest,
  };
}

function entity(): Entity {
  const fields = [
    field('id', 'uuid', { system: true, readOnly: true }),
    field('version', 'integer', { system: true, readOnly: true }),
    field('name', 'text', { required: true, label: 'Name' }),
    field('price', 'money', { label: 'Price', currencyField: 'price_currency' }),
    field('price_currency', 'currency', { label: 'Price currency' }),
    field('secret', 'text', { label: 'Secret' }),
    field('kind', 'choice', { label: 'Kind', choices: [{ key: 'big', label: 'Big', color: 'red' }] }),
  ];
  const visible = new Set(fields.filter(({ key }) => key !== 'secret').map(({ id }) => id));
  return {
    id: 'e_thing',
    name: 'shop.thing',
    pack: 'shop',
    key: 'thing',
    plural: 'things',
    label: 'Thing',
    pluralLabel: 'Things',
    icon: null,
    path: 'shop/things',
    table: 'shop_things',
    title: { template: '{name}', fields: ['name'] },
    owner: false,
    flag: null,
    softDelete: true,
    history: true,
    partition: null,
    concurrency: 'optional',
    sharing: false,
    keepDays: null,
    duplicates: [],
    parent: null,
    fields: new Map(fields.map((one) => [one.key, one])),
    fieldsById: new Map(fields.map((one) => [one.id, one])),
    unique: [],
    permissions: [
      permission('boss'),
      permission('clerk', { actions: new Set(['read']), fields: { read: visible, create: visible, update: visible } }),
    ],
  };
}

function role(key: string, administrator: boolean): Role {
  return { key, label: key, inherits: [], administrator };
}

export function testModel(): Model {
  const thing = entity();
  const hidden: Entity = {
    ...thing,
    id: 'e_hidden',
    name: 'shop.hidden',
    key: 'hidden',
    plural: 'hiddens',
    path: 'shop/hiddens',
    permissions: [],
  };
  const entities = [thing, hidden];
  return {
    tenant: 'acme',
    release: 3,
    country: 'DE',
    entities: new Map(entities.map((one) => [one.name, one])),
    entitiesByPath: new Map(entities.map((one) => [one.path, one])),
    roles: new Map([role('boss', true), role('clerk', false), role('nobody', false)].map((one) => [one.key, one])),
    lifecycles: new Map(),
    views: new Map(),
    forms: new Map(),
    metrics: new Map(),
    menus: [
      {
        key: 'main',
        label: 'Main',
        icon: null,
        order: 1,
        roles: null,
        flag: null,
        items: [
          { key: 'things', label: 'Things', entity: 'shop.thing', view: null, icon: null, flag: null },
          { key: 'hidden', label: 'Hidden', entity: 'shop.hidden', view: null, icon: null, flag: null },
        ],
      },
    ],
    translations: new Map([
      [
        'ar',
        new Map([
          ['shop.thing', 'شيء'],
          ['shop.thing.name', 'الاسم'],
          ['shop.thing.kind.big', 'كبير'],
        ]),
      ],
    ]),
    rules: new Map(),
    flags: new Map(),
    settings: new Map(),
    sequences: new Map(),
    templates: new Map(),
    packs: new Map(),
  };
}

const tenant: Tenant = {
  id: '01900000-0000-7000-8000-000000000001',
  key: 'acme',
  name: 'Acme',
  country: 'AE',
  currency: 'AED',
  timeZone: 'Asia/Dubai',
  locale: 'en',
  businessHours: { timeZone: 'Asia/Dubai', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' },
  names: tenantNames('t', 'acme'),
};

function principal(key: string): Principal {
  return {
    tenant: 'acme',
    userId: '01900000-0000-7000-8000-000000000002',
    name: key,
    email: `${key}@acme.test`,
    roles: [key],
    dbRole: `t_acme__${key}`,
    team: null,
    teams: [],
    teamMembers: [],
    attributes: {},
    locale: 'en',
    timeZone: 'Asia/Dubai',
  };
}

function noTransaction(): never {
  throw new TypeError('the double has no transactions');
}

/** What the double was asked to do, for the tests to look at. */
export interface Calls {
  readonly written: { readonly verb: string; readonly body: unknown; readonly options: unknown }[];
  readonly logged: Record<string, unknown>[];
}

const PLAN = { base: 3, next: 4, steps: [], warnings: [] };
const RELEASE = { number: 3, base: 2, author: 'a', message: 'm', createdAt: '2026-01-01T00:00:00.000Z' };

export function testServices(overrides: Partial<HttpServices> = {}): { services: HttpServices; calls: Calls } {
  const calls: Calls = { written: [], logged: [] };
  const model = testModel();
  const people = new Map([
    [TOKENS.admin, principal('boss')],
    [TOKENS.clerk, principal('clerk')],
    [TOKENS.nobody, principal('nobody')],
  ] as [string, Principal][]);
  const write =
    (verb: string, status: number) =>
    async (...parts: readonly unknown[]): Promise<WriteAnswer> => {
      calls.written.push({ verb, body: parts.length > 3 ? parts.at(-2) : undefined, options: parts.at(-1) });
      return {
        status,
        body: status === 204 ? null : '{"data":{"name":"x"}}',
        id: RECORD_ID,
        version: 2,
        replayed: false,
      };
    };
  const services: HttpServices = {
    // Never connected to: no test of HTTP alone needs it.
    database: new Database({
      address: { host: '127.0.0.1', port: 1, database: 'none' },
      app: { user: 'a', password: '' },
      owner: { user: 'o', password: '' },
    }),
    clock: fixedClock(Date.parse('2026-01-31T10:00:00Z')),
    ids: systemIds,
    models: { get: async () => source, known: () => source },
    identity: {
      authenticate: async (token) => people.get(token) ?? null,
      signIn: async ({ password }) => {
        if (password !== 'right') throw new Problem('invalid_credentials', 'E-mail or password is wrong.');
        return { token: TOKENS.clerk, expiresAt: new Date('2026-02-07T10:00:00Z'), principal: principal('clerk') };
      },
      signOut: async () => {},
      issueToken: async () => {
        throw notFound();
      },
      setPassword: async () => {},
      invalidate: async () => {},
      recordChanged: async () => {},
      principalOf: async () => {
        throw notFound();
      },
    },
    log: pino(
      { level: 'info' },
      { write: (line) => void calls.logged.push(JSON.parse(line) as Record<string, unknown>) },
    ),
    secret: 'x'.repeat(32),
    publicUrl: 'http://localhost:3000',
    reader: {
      list: async () => ({
        body: '{"data":[{"name":"a \\"page\\":{\\"next\\":\\"no"}],"page":{"next":"abc","prev":null},"count":null}',
      }),
      one: async (_scope, _entity, id) =>
        id === RECORD_ID ? { body: `{"data":{"id":"${id}","name":"x"}}`, version: 7 } : null,
      history: async () => ({ body: '{"data":[]}' }),
      find: async () => null,
      within: noTransaction,
    },
    writer: {
      create: write('create', 201),
      update: write('update', 200),
      remove: write('remove', 204),
      restore: write('restore', 200),
      transition: write('transition', 200),
      upsert: write('upsert', 200),
      updateMany: write('updateMany', 200),
      removeMany: write('removeMany', 200),
      assignMany: write('assignMany', 200),
      transitionMany: write('transitionMany', 200),
      together: noTransaction,
    },
    commands: {
      within: () => {
        throw new TypeError('not here');
      },
      assign: write('assign', 200),
      merge: write('merge', 200),
      mergedInto: async () => null,
      duplicates: async () => ({ body: '{"data":[]}' }),
      duplicateGroups: async () => ({ body: '{"data":[]}' }),
      purge: write('purge', 204),
      bin: write('bin', 204),
      access: async () => ({ body: '{"data":{"owner":null,"roles":[],"shares":[]}}' }),
      share: write('share', 201),
      endShare: write('endShare', 204),
    },
    files: {
      limit: 1000,
      receive: async (_scope, _entity, name) => ({ id: RECORD_ID, name, type: 'application/pdf', size: 1 }),
      find: async () => {
        throw notFound();
      },
      content: async () => Readable.from([]),
    },
    changes: { tokens: new FeedTokens('x'.repeat(32)), read: async () => ({ data: [], next: 'x', hasMore: false }) },
    hub: { head: async () => ({ xid: 0n, id: 0n }), subscribe: () => () => {}, wrote: () => {}, close: async () => {} },
    exporter: {
      check: () => {},
      open: async () => Readable.from([]),
    },
    importer: {
      upload: async (_scope, _entity, { name, stream }) => {
        let size = 0;
        for await (const chunk of stream) size += (chunk as Buffer).length;
        return { id: RECORD_ID, name, size };
      },
      configure: async (_scope, _entity, id, body) => ({ id, body }),
      start: async (_scope, _entity, id) => ({ id }),
      status: async (_scope, _entity, id) => ({ id }),
      errors: async () => Readable.from(['line,reason\n']),
    },
    steps: { list: async () => [], cancel: async () => {}, retry: async () => {} },
    publisher: {
      documents: async () => ({ release: 3, packs: [], versions: {}, documents: [] }),
      plan: async (_tenant, input) => Object.assign({ ...PLAN, conflicts: [] }, { input }),
      publish: async (_tenant, input) => Object.assign({ ...RELEASE, plan: PLAN }, { input }),
      releases: async () => [RELEASE],
      diff: async (from, to) => ({ from, to }),
      release: async (_tenant, number) => {
        if (number !== 3) throw notFound();
        return { number };
      },
      rollback: async (_tenant, input) => ({ input }),
    },
    ...overrides,
  };
  const source = { tenant, model };
  return { services, calls };
}
