/** Two organisations with the same people and the same kinds of records, every value of which says whose it is. */
import type { Entity, Model } from '#engine/model/model.ts';
import type { TestApp } from '../support/app.ts';
import { type Client, client } from '../support/http.ts';
import { Expectation, type PermissionDocument, type Person, type Subject } from './expectation.ts';
import { fieldKnowledge } from './field-knowledge.ts';
import { fill, recordEntities } from './fill.ts';
import { SPECIMEN_PERMISSIONS, SPECIMENS } from './specimens.ts';

export const TENANTS = ['acme', 'bolt'] as const;

/** Both organisations refine the pack's permissions, so that fields and rows are cut in every way. */
export const OVERRIDES: readonly PermissionDocument[] = [
  // A field that a role never sees.
  {
    role: 'sales_rep',
    pack: 'crm',
    entity: 'crm.account',
    actions: ['create', 'read', 'update'],
    fields: { read: { except: ['annual_revenue', 'phone'] }, update: { except: ['tags'] } },
    conditions: { owner: 'self' },
  },
  // Some fields of all records, all fields of some records: a mask that depends on the row.
  {
    role: 'sales_rep',
    pack: 'crm',
    entity: 'crm.contact',
    key: 'names',
    actions: ['read'],
    fields: { read: { only: ['first_name', 'last_name'] } },
  },
  // Two permissions to change that must not add up.
  {
    role: 'sales_rep',
    pack: 'crm',
    entity: 'crm.lead',
    key: 'notes',
    actions: ['read', 'update'],
    fields: { read: { only: ['last_name', 'description'] }, update: { only: ['description'] } },
    conditions: { owner: 'team' },
  },
];

export interface WorldPerson extends Person {
  readonly teams: readonly string[];
  readonly name: string;
  readonly email: string;
  readonly token: string;
}

export interface WorldRecord extends Subject {
  readonly id: string;
  readonly entity: string;
  /** Field key → what an answer would contain if it showed the value. */
  readonly canaries: ReadonlyMap<string, string>;
  /** The same of what stands in records on a list of this one's: values of parts. */
  readonly inside: readonly { readonly field: string; readonly trace: string }[];
  /** Field key → the record it refers to. */
  readonly references: ReadonlyMap<string, string>;
}

export interface World {
  readonly people: readonly WorldPerson[];
  readonly records: readonly WorldRecord[];
  /** Those with records of their own; parts live with their parents. */
  readonly entities: readonly Entity[];
  /** The first organisation's. The other's says the same, with other identities. */
  readonly model: Model;
  modelOf(tenant: string): Model;
  clientOf(person: WorldPerson, url: string): Client;
}

const STAFF = [
  { name: 'admin', roles: ['administrator'], team: 'office' },
  { name: 'lead', roles: ['manager'], team: 'north' },
  { name: 'rep_a', roles: ['sales_rep'], team: 'north' },
  { name: 'rep_b', roles: ['sales_rep'], team: 'north_east' },
  { name: 'rep_c', roles: ['sales_rep'], team: 'south' },
  { name: 'help', roles: ['support'], team: 'office' },
  { name: 'both', roles: ['sales_rep', 'support'], team: 'south' },
  { name: 'ads', roles: ['marketing'], team: 'office' },
  { name: 'money', roles: ['finance'], team: 'south' },
  // In no team: what a manager's rights reach there is nothing, not even what is their own.
  { name: 'solo', roles: ['manager', 'sales_rep', 'support'], team: null },
] as const;
/** The second organisation is like the first, with fewer people: it is there to be attacked and to attack. */
const FEW: ReadonlySet<string> = new Set(['admin', 'lead', 'rep_a', 'both']);
const staffOf = (tenant: string) => STAFF.filter(({ name }) => tenant === TENANTS[0] || FEW.has(name));

const TEAMS = [
  ['office', null],
  ['north', 'office'],
  ['north_east', 'north'],
  ['south', 'office'],
] as const;
/** A team with all under it. */
const under = (team: string | null): readonly string[] =>
  team === null ? [] : [team, ...TEAMS.flatMap(([name, parent]) => (parent === team ? under(name) : []))];

/** @param specimens whether there are entities with a field of every type besides those of the CRM */
export async function buildWorld(
  app: TestApp,
  prepare: (tenant: string) => Promise<void>,
  specimens = false,
): Promise<World> {
  const people: WorldPerson[] = [];
  const records: WorldRecord[] = [];
  const models = new Map<string, Model>();
  for (const tenant of TENANTS) {
    await prepare(tenant);
    const admin = await app.as(tenant, `admin@${tenant}.example`);
    people.push(...(await hire(app, tenant, admin)));
    await publishOverrides(admin, specimens);
    const { model } = await app.app.services.models.get(tenant);
    models.set(tenant, model);
    const own = people.filter((person) => person.tenant === tenant);
    records.push(...(await fill(tenant, model, admin, own, expectationOf(model))));
  }
  const modelOf = (tenant: string): Model => {
    const known = models.get(tenant);
    if (!known) throw new Error(`there is no model of ${tenant}`);
    return known;
  };
  const model = modelOf(TENANTS[0]);
  return {
    people,
    records,
    model,
    modelOf,
    entities: recordEntities(model),
    clientOf: (person, url) => client(url, person.token),
  };
}

/** What the people of a world may do, told from its documents. */
export const expectationOf = (model: Model): Expectation =>
  new Expectation([...OVERRIDES, ...SPECIMEN_PERMISSIONS], fieldKnowledge(model));

async function hire(app: TestApp, tenant: string, admin: Client): Promise<readonly WorldPerson[]> {
  const teams = new Map<string, string>();
  for (const [name, parent] of TEAMS) {
    const { json, text } = await admin.post('/api/core/v1/teams', {
      name,
      ...(parent ? { parent: teams.get(parent) } : {}),
    });
    if (!json.data) throw new Error(text);
    teams.set(name, json.data.id);
  }
  const ids = new Map<string, string>();
  const found = await admin.get(`/api/core/v1/users?email=admin@${tenant}.example&$select=id,version`);
  for (const { name, roles, team } of staffOf(tenant)) {
    const email = `${name}@${tenant}.example`;
    const values = { roles, ...(team !== null && { team: teams.get(team) }) };
    const known = name === 'admin' ? found.json.data?.[0] : undefined;
    const { json, text } = known
      ? await admin.patch(`/api/core/v1/users/${known.id}`, values)
      : await admin.post('/api/core/v1/users', { name, email, ...values });
    if (!json.data) throw new Error(text);
    ids.set(name, json.data.id);
  }
  return Promise.all(
    staffOf(tenant).map(async ({ name, roles, team }) => {
      const email = `${name}@${tenant}.example`;
      const { token } = await app.app.services.identity.issueToken({ tenant, user: { email }, label: 'test' });
      const members = staffOf(tenant).flatMap((one) =>
        one.team !== null && under(team).includes(one.team) ? [ids.get(one.name) ?? ''] : [],
      );
      const below = under(team).map((one) => teams.get(one) ?? '');
      return { tenant, name, email, userId: ids.get(name) ?? '', roles, members, teams: below, token };
    }),
  );
}

async function publishOverrides(admin: Client, specimens: boolean): Promise<void> {
  const { json: current } = await admin.get('/api/metadata/documents');
  const permissions = specimens ? [...OVERRIDES, ...SPECIMEN_PERMISSIONS] : OVERRIDES;
  const own = permissions.map((permission) => ({ kind: 'permission', ...permission }));
  const documents = specimens ? [...SPECIMENS, ...own] : own;
  const answer = await admin.post('/api/metadata/publish', {
    base: current.release ?? current.data?.release,
    message: 'Refine permissions',
    documents,
  });
  if (answer.status >= 300) throw new Error(answer.text);
}
