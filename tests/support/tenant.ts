/** Organisations and people for tests. */
import { createOrganisation } from '#engine/organisation.ts';
import type { TestApp } from './app.ts';
import type { Client, JsonRecord } from './http.ts';

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
