/** Organisations and people for tests. */
import type { TestApp } from './app.ts';
import type { Client, JsonRecord } from './http.ts';

export interface NewPerson {
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly team?: string;
}

/** A user, made over the API by an administrator. */
export async function hire(_app: TestApp, _tenant: string, admin: Client, person: NewPerson): Promise<JsonRecord> {
  const { json, text } = await admin.post('/api/core/v1/users', person);
  if (!json.data) throw new Error(text);
  return json.data;
}
