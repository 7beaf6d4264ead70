/** Two organisations with the same people and the same kinds of records, every value of which says whose it is. */
import type { Entity, Field, Model } from '#engine/model/model.ts';
import type { TestApp } from '../support/app.ts';
import { type Client, client } from '../support/http.ts';
import { canaryValue, token, trace } from './canary.ts';
import type { PermissionDocument, Person, Subject } from './expectation.ts';

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
  readonly name: string;
  readonly email: string;
  readonly token: string;
}

export interface WorldRecord extends Subject {
  readonly id: string;
  readonly entity: string;
  /** Field key → what an answer would contain if it showed the value. */
  readonly canaries: ReadonlyMap<string, string>;
}

export interface World {
  readonly people: readonly WorldPerson[];
  readonly records: readonly WorldRecord[];
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
] as const;

const TEAMS = [
  ['office', null],
  ['north', 'office'],
  ['north_east', 'north'],
  ['south', 'office'],
] as const;
/** Under `lead`'s team: the people whose records a manager sees. */
const UNDER: Readonly<Record<string, readonly string[]>> = {
  office: STAFF.map(({ name }) => name),
  north: ['lead', 'rep_a', 'rep_b'],
  north_east: ['rep_b'],
  south: ['rep_c', 'both'],
};

export async function buildWorld(app: TestApp, prepare: (tenant: string) => Promise<void>): Promise<World> {
  const people: WorldPerson[] = [];
  const records: WorldRecord[] = [];
  const models = new Map<string, Model>();
  for (const tenant of TENANTS) {
    await prepare(tenant);
    const admin = await app.as(tenant, `admin@${tenant}.example`);
    people.push(...(await hire(app, tenant, admin)));
    await publishOverrides(admin);
    const { model } = await app.app.services.models.get(tenant);
    models.set(tenant, model);
    records.push(
      ...(await fill(
        tenant,
        model,
        admin,
        people.filter((person) => person.tenant === tenant),
      )),
    );
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

/** What the world is filled with: enough to have every kind of right, and no rules of their own to be kept. */
const FILLED: ReadonlySet<string> = new Set(['account', 'activity', 'contact', 'lead', 'opportunity', 'product']);

/** Entities with records of their own; parts live with their parents. */
export function recordEntities(model: Model): readonly Entity[] {
  return [...model.entities.values()].filter((entity) => entity.pack === 'crm' && FILLED.has(entity.key));
}

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
  for (const { name, roles, team } of STAFF) {
    const email = `${name}@${tenant}.example`;
    const values = { roles, team: teams.get(team) };
    const known = name === 'admin' ? found.json.data?.[0] : undefined;
    const { json, text } = known
      ? await admin.patch(`/api/core/v1/users/${known.id}`, values)
      : await admin.post('/api/core/v1/users', { name, email, ...values });
    if (!json.data) throw new Error(text);
    ids.set(name, json.data.id);
  }
  return Promise.all(
    STAFF.map(async ({ name, roles, team }) => {
      const email = `${name}@${tenant}.example`;
      const { token } = await app.app.services.identity.issueToken({ tenant, user: { email }, label: 'test' });
      const members = (UNDER[team] ?? []).map((member) => ids.get(member) ?? '');
      return { tenant, name, email, userId: ids.get(name) ?? '', roles, members, token };
    }),
  );
}

async function publishOverrides(admin: Client): Promise<void> {
  const { json: current } = await admin.get('/api/metadata/documents');
  const documents = OVERRIDES.map((override) => ({ kind: 'permission', ...override }));
  const answer = await admin.post('/api/metadata/publish', {
    base: current.release ?? current.data?.release,
    message: 'Refine permissions',
    documents,
  });
  if (answer.status >= 300) throw new Error(answer.text);
}

async function fill(
  tenant: string,
  model: Model,
  admin: Client,
  people: readonly WorldPerson[],
): Promise<readonly WorldRecord[]> {
  const records: WorldRecord[] = [];
  for (const entity of recordEntities(model)) {
    for (const owner of people) {
      const canaries = new Map<string, string>();
      const body: Record<string, unknown> = entity.owner ? { owner: owner.userId } : {};
      for (const field of entity.fields.values()) setField(field, body, canaries, records, owner.userId);
      const { json, text, status } = await admin.post(`/api/${entity.pack}/v1/${entity.plural}`, body);
      if (status !== 201 || !json.data) throw new Error(`${entity.name}: ${text}`);
      records.push({
        tenant,
        owner: entity.owner ? owner.userId : null,
        id: json.data.id,
        entity: entity.name,
        canaries,
      });
    }
  }
  return records;
}

function setField(
  field: Field,
  body: Record<string, unknown>,
  canaries: Map<string, string>,
  records: readonly WorldRecord[],
  owner: string,
): void {
  if (field.system || field.readOnly) return;
  if (field.type.key === 'reference' && field.reference) {
    const to = records.find(
      (record) => record.entity === field.reference?.entity && (record.owner === owner || record.owner === null),
    );
    if (to) body[field.key] = to.id;
    return;
  }
  if (field.type.key === 'choice' && field.required) body[field.key] = field.choices?.[0]?.key;
  if (field.type.key === 'rich_text' && field.required) body[field.key] = '<p>Text</p>';
  if (field.type.key === 'date' || field.type.key === 'datetime') return;
  const value = canaryValue(field, token());
  if (value === null) return;
  body[field.key] = value;
  canaries.set(field.key, trace(value));
}
