/**
 * Idempotency keys (draft-ietf-httpapi-idempotency-key-header): what a request answered is stored in the transaction of
 * its write. The same request again gets the stored answer; of two at the same time the second waits for the first at
 * the key's unique index.
 *
 * Only successes are stored: what was refused has changed nothing and may be tried again.
 */
import { createHash } from 'node:crypto';
import type { Sender } from '#engine/db/sender.ts';
import { sessionOf } from '#engine/db/database.ts';
import type { Statement } from '#engine/db/execute.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import { Parameters } from './sql.ts';

export interface Idempotency {
  /** What the client sent as `Idempotency-Key`, 1 to 255 characters. */
  readonly key: string;
  /** SHA-256 of method, path and body. */
  readonly fingerprint: string;
}

export interface Stored {
  readonly status: number;
  readonly body: string | null;
  readonly id: string | undefined;
  readonly version: number | undefined;
  /** Whether the principal's rights are what they were then. */
  readonly sameRights: boolean;
}

/** The constraint that a second use of a key violates. */
export const KEY_CONSTRAINT = 'idempotency_pkey';

/**
 * The last statement of a write: stores the answer and gives it.
 * @param representation gives one row [JSON of the record, version], or none when the record may not be read
 */
export function answerStatement(
  scope: Scope,
  idempotency: Idempotency,
  status: number,
  id: string | undefined,
  representation: Statement,
): Statement {
  const parameters = continued(representation);
  const headers = `json_build_object('id', ${parameters.bind(id ?? null, 'text')}, 'version', (select a.version from answer a), 'rights', ${parameters.bind(rightsMark(scope), 'text')})::text`;
  const body = `coalesce((select '{"data":' || a.body || '}' from answer a), '{"data":null}')`;
  return {
    text: `with answer(body, version) as (${representation.text}), kept as (${insertInto(scope, idempotency, status, headers, body, parameters)}) select a.body, a.version from answer a`,
    values: parameters.values,
  };
}

/** Stores an answer that is known beforehand. */
export function keepStatement(
  scope: Scope,
  idempotency: Idempotency,
  status: number,
  stored: { readonly id?: string | undefined; readonly version?: number | undefined; readonly body: string | null },
): Statement {
  const parameters = new Parameters();
  const kept = { id: stored.id ?? null, version: stored.version ?? null, rights: rightsMark(scope) };
  const headers = parameters.bind(JSON.stringify(kept), 'text');
  const body = parameters.bind(stored.body ?? '', 'text');
  return { text: insertInto(scope, idempotency, status, headers, body, parameters), values: parameters.values };
}

/** Parameters after those of a statement that becomes a part of another one. */
function continued(statement: Statement): Parameters {
  const parameters = new Parameters();
  parameters.values.push(...statement.values);
  return parameters;
}

function insertInto(
  scope: Scope,
  { key, fingerprint }: Idempotency,
  status: number,
  headers: string,
  body: string,
  parameters: Parameters,
): string {
  const values = [
    parameters.bind(scope.tenant.id, 'uuid'),
    parameters.bind(scope.principal.userId, 'uuid'),
    parameters.bind(key, 'text'),
    parameters.bind(fingerprint, 'text'),
    parameters.bind(status, 'integer'),
    headers,
    body,
  ];
  return `insert into armature.idempotency (tenant_id, user_id, key, fingerprint, status, headers, body) select ${values.join(', ')}`;
}

/**
 * What an earlier request with this key answered; `null` when there was none.
 * @throws Problem `idempotency_mismatch` when it was a different request
 */
export async function storedAnswer(sender: Sender, scope: Scope, idempotency: Idempotency): Promise<Stored | null> {
  const [result] = await sender.batch(sessionOf(scope.principal), [
    {
      text: `select i.fingerprint, i.status, i.headers, i.body from armature.idempotency i where i.tenant_id = $1::uuid and i.user_id = $2::uuid and i.key = $3::text`,
      values: [scope.tenant.id, scope.principal.userId, idempotency.key],
    },
  ]);
  const row = result?.rows[0];
  if (!row) return null;
  const [fingerprint, status, headers, body] = row;
  if (fingerprint !== idempotency.fingerprint) {
    throw new Problem(
      'idempotency_mismatch',
      'This Idempotency-Key was already used for a different request. Use a new key for each request.',
    );
  }
  const { id, version, rights } = readHeaders(headers ?? '{}');
  const sameRights = rights === rightsMark(scope);
  return { status: Number(status), body: body === '' || body == null ? null : body, id, version, sameRights };
}

/** Changes with everything that decides what somebody may see of a record. */
function rightsMark({ model, principal }: Scope): string {
  const { roles, teams, attributes } = principal;
  const text = JSON.stringify([model.release, roles, teams, attributes]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function readHeaders(json: string): Pick<Stored, 'id' | 'version'> & { readonly rights: unknown } {
  const headers: unknown = JSON.parse(json);
  if (typeof headers !== 'object' || headers === null) return { id: undefined, version: undefined, rights: null };
  const id = 'id' in headers && typeof headers.id === 'string' ? headers.id : undefined;
  const version = 'version' in headers && headers.version != null ? Number(headers.version) : undefined;
  return { id, version, rights: 'rights' in headers ? headers.rights : null };
}
