/** Organisations and people for tests. */
import { createOrganisation } from '#engine/organisation.ts';
import type { TestApp } from './app.ts';
import { type Client, client, type JsonRecord } from './http.ts';

export interface NewPerson {
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly team?: string;
  readonly department?: string;
  readonly locale?: string;
}

/** A user, made over the API by an administrator. */
export async function hire(admin: Client, person: NewPerson): Promise<JsonRecord> {
  const { json, text } = await admin.post('/api/core/v1/users', person);
  if (!json.data) throw new Error(text);
  return json.data;
}

/** An organisation with the CRM and an administrator `admin@<tenant>.example`. */
export async function makeTenant(app: TestApp, tenant: string): Promise<void> {
  await createOrganisation(app.app.services, {
    key: tenant,
    name: `The ${tenant} organisation`,
    country: 'DE',
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    locale: 'en',
    packs: ['crm'],
    administrator: { name: 'Ada Admin', email: `admin@${tenant}.example` },
  });
}

export interface Member {
  readonly id: string;
  readonly token: string;
  readonly client: Client;
}

export interface TeamOf {
  readonly admin: Client;
  /** Id of the team. */
  readonly north: string;
  /** A new member of it, `<name>@acme.example`. */
  readonly person: (name: string, role: string) => Promise<Member>;
}

/** The organisation `acme` with the team `north`. */
export async function makeTeam(app: TestApp): Promise<TeamOf> {
  await makeTenant(app, 'acme');
  const admin = await app.as('acme', 'admin@acme.example');
  const { json, text } = await admin.post('/api/core/v1/teams', { name: 'north' });
  if (!json.data) throw new Error(text);
  const north = json.data.id;
  return {
    admin,
    north,
    person: async (name, role) => {
      const email = `${name}@acme.example`;
      const { id } = await hire(admin, { name, email, roles: [role], team: north });
      const { identity } = app.app.services;
      const { token } = await identity.issueToken({ tenant: 'acme', user: { email }, label: 'test' });
      return { id, token, client: client(app.url, token) };
    },
  };
}

/** What people in tests sign in with. */
export const PASSWORD = 'correct horse battery';

/** Lets somebody sign in with {@link PASSWORD}. */
export async function letSignIn(admin: Client, email: string): Promise<void> {
  const { json } = await admin.get(`/api/core/v1/users?email=${email}`);
  const { status, text } = await admin.post(`/api/core/v1/users/${json.data?.[0]?.id}/actions/set_password`, {
    password: PASSWORD,
  });
  if (status >= 300) throw new Error(text);
}
