/** The writing record routes: from a request's headers and body to the one write path, and from its answer to the wire. */
import type { IncomingMessage } from 'node:http';
import type { Entity } from '../model/model.ts';
import type { Value } from '../model/value-type.ts';
import { invalidAt, notFound, Problem } from '../problem.ts';
import { parseJsonQuery } from '../records/query/json.ts';
import type { Query, Selection } from '../records/query/query.ts';
import { parseUrlQuery } from '../records/query/url.ts';
import { findKey } from '../records/read/keys.ts';
import { credentialsOf } from './authenticate.ts';
import {
  hasBody,
  isMergePatch,
  objectOf,
  parseJson,
  PATCH_TYPES,
  readBody,
  readJson,
  RECORD_LIMIT,
  requireType,
} from './body.ts';
import { sendEmpty, sendText } from './exchange.ts';
import { inTurn } from './large-writes.ts';
import type { WriteAnswer, WriteOptions } from './ports.ts';
import type { RecordRequest } from './record-request.ts';
import { addressOf } from './record-request.ts';
import { selectionIn } from './query-input.ts';
import type { Preferences } from './request-headers.ts';
import { entityTag, idempotencyOf, ifMatch, mustNotExist, preferencesOf, versionTag } from './request-headers.ts';

function applied({ minimal, dryRun, maxAffected }: Preferences, many: boolean): string[] {
  const wishes = [
    ...(minimal ? ['return=minimal'] : []),
    ...(dryRun ? ['tx=rollback'] : []),
    ...(many && maxAffected !== null ? [`max-affected=${maxAffected}`] : []),
  ];
  return wishes.length === 0 ? [] : ['Preference-Applied', wishes.join(', ')];
}

function sendWritten(request: RecordRequest, answer: WriteAnswer, preferences: readonly string[]): void {
  const { entity, exchange } = request;
  const headers: string[] = [];
  if (answer.status === 201 && answer.id !== undefined) headers.push('Location', addressOf(entity, answer.id));
  if (answer.version !== undefined) {
    headers.push('ETag', answer.body === null ? versionTag(answer.version) : entityTag(answer.version, answer.body));
  }
  if (answer.replayed) headers.push('Idempotency-Replayed', 'true');
  headers.push(...preferences);
  if (answer.body === null) {
    // A 201 without a body still says so: a client may wait for one.
    if (answer.status !== 204) headers.push('Content-Length', '0');
    return sendEmpty(exchange, answer.status, headers);
  }
  sendText(exchange, answer.status, answer.body, { headers });
}

/** How a write takes its request. */
export interface Manner {
  readonly body: 'required' | 'optional' | 'none';
  readonly types?: ReadonlySet<string>;
  /**
   * `one`: a record with a version, which `If-Match` protects. `new`: there is none yet. `many`: records that each have
   * their own.
   */
  readonly about: 'one' | 'new' | 'many';
  /** Whether the record may be one that does not exist yet. */
  readonly creates?: true;
  /** What the answer shows; `$select` of the address when left out. */
  readonly returning?: Selection | null | 'minimal';
}

/**
 * Entities with `"concurrency": "required"` are changed by those alone who say which version they have read.
 * @throws Problem `precondition_required`
 */
function requireMatch(entity: Entity, about: Manner['about'], given: boolean): void {
  if (entity.concurrency !== 'required' || about === 'new' || (about === 'one' && given)) return;
  const message =
    about === 'one'
      ? `Records of “${entity.label}” are changed with If-Match alone: send the ETag of the record as you read it.`
      : `Records of “${entity.label}” are changed one at a time, each with If-Match.`;
  throw new Problem('precondition_required', message, [
    { code: 'precondition_required', message, parameter: 'If-Match' },
  ]);
}

/** A condition that no record which can be changed fulfils; the same whether there is one or not. */
function mustExist(): Problem {
  const message = '“If-None-Match: *” asks that there is no such record, and only one that is there can be changed.';
  return new Problem('precondition_failed', message, [{ code: 'exists', message, parameter: 'If-None-Match' }]);
}

/** Ignoring it would be a change of what somebody wanted protected. */
function notOne(): Problem {
  const message = 'If-Match protects one record that is there. Leave it out, or change the records one at a time.';
  return new Problem('invalid_header', message, [{ code: 'invalid_header', message, parameter: 'If-Match' }]);
}

/** Reads what the write needs from headers and body, runs it and answers. */
export async function write(
  request: RecordRequest,
  manner: Manner,
  run: (input: unknown, options: WriteOptions) => Promise<WriteAnswer>,
): Promise<void> {
  const incoming: IncomingMessage = request.exchange.request;
  const preferences = preferencesOf(incoming);
  const match = ifMatch(incoming);
  const absent = mustNotExist(incoming);
  if (absent && manner.about === 'one' && !manner.creates) throw mustExist();
  if (match !== null && manner.about !== 'one') throw notOne();
  requireMatch(request.entity, manner.about, match !== null || absent);
  const returning = preferences.minimal
    ? 'minimal'
    : manner.returning === undefined
      ? selectionIn(request.search)
      : manner.returning;
  const withBody = manner.body === 'required' || (manner.body === 'optional' && hasBody(incoming));
  if (withBody) requireType(incoming, manner.types);
  const bytes = await readBody(incoming, RECORD_LIMIT);
  const mergePatch = withBody && isMergePatch(incoming);
  // The same bytes under the other name are another request.
  const asked = mergePatch ? `${request.url} merge-patch` : request.url;
  const idempotency = idempotencyOf(incoming, asked, bytes);
  await inTurn(incoming, bytes, async () => {
    const answer = await run(withBody ? parseJson(bytes) : {}, {
      returning,
      ...(idempotency && { idempotency }),
      ...(match !== null && match !== '*' && { ifMatch: match }),
      ...(match !== null && { exists: 'must' }),
      ...(absent && { exists: 'must_not' }),
      ...(preferences.duplicates && { duplicates: preferences.duplicates }),
      ...(preferences.dryRun && { dryRun: true }),
      ...(mergePatch && { mergePatch }),
      ...(preferences.maxAffected !== null && { maxAffected: preferences.maxAffected }),
    });
    sendWritten(request, answer, applied(preferences, manner.about === 'many'));
  });
}

const CREATE: Manner = { body: 'required', about: 'new' };
/** A command about a record, with what it says; one about none that has a version; one that says nothing. */
const COMMAND: Manner = { body: 'required', about: 'one' };
export const FREE_COMMAND: Manner = { body: 'required', about: 'new' };
export const BARE_COMMAND: Manner = { body: 'none', about: 'new' };
const CHANGE: Manner = { body: 'required', about: 'one', types: PATCH_TYPES };
const PUT: Manner = { ...CHANGE, creates: true };
const STEP: Manner = { body: 'optional', about: 'one' };
const REMOVE: Manner = { body: 'none', about: 'one', returning: 'minimal' };
const MANY: Manner = { body: 'required', about: 'many', types: PATCH_TYPES, returning: null };
const MANY_OPTIONAL: Manner = { body: 'optional', about: 'many', returning: null };

/** `POST` on a collection: creates, or with `$upsert=key` creates and changes. */
export async function create(request: RecordRequest): Promise<void> {
  const { scope, entity, services, search } = request;
  if (!/(?:^|&)(?:\$|%24)upsert=/i.test(search))
    return write(request, CREATE, (input, options) => services.writer.create(scope, entity, input, options));
  const parameters = new URLSearchParams(search);
  const keys = parameters.getAll('$upsert').join(',').split(',');
  parameters.delete('$upsert');
  const manner: Manner = {
    body: 'required',
    about: 'one',
    creates: true,
    returning: selectionIn(parameters.toString()),
  };
  return write(request, manner, (input, options) => {
    if (Array.isArray(input)) requireMatch(entity, 'many', false);
    return services.writer.upsert(scope, entity, keys, input, options);
  });
}

/**
 * `PUT …/by/{key}/{value}`: creates the record of that key or changes it. The body may leave the key out.
 * @throws Problem `not_found` when it is no key of single fields
 */
export async function putByKey(request: RecordRequest, key: string, text: string): Promise<void> {
  const { scope, entity, services } = request;
  const field = findKey(scope, entity, [key])?.fields[0];
  if (!field) throw notFound();
  const value = keyValue(text, field.type.valueType);
  return write(request, PUT, (input, options) => {
    const body = objectOf(input);
    const sent = body[key];
    if (sent !== undefined && sent !== value) {
      throw invalidAt(`/${key}`, `${field.label} must be what the address says, or be left out.`, 'key');
    }
    return services.writer.upsert(scope, entity, [key], { ...body, [key]: value }, options);
  });
}

/** What stands in an address is text; numbers are numbers in JSON. */
function keyValue(text: string, type: string | null): Value {
  return type === 'integer' && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

export function change(request: RecordRequest, id: string): Promise<void> {
  const { scope, entity, services } = request;
  return write(request, CHANGE, (input, options) => services.writer.update(scope, entity, id, input, options));
}

export function remove(request: RecordRequest, id: string): Promise<void> {
  const { scope, entity, services } = request;
  return write(request, REMOVE, (_, options) => services.writer.remove(scope, entity, id, options));
}

export async function action(request: RecordRequest, id: string, name: string): Promise<void> {
  const { scope, entity, services } = request;
  if (name === 'set_password' && entity.name === 'core.user') return setPassword(request, id);
  if (name === 'assign' && entity.owner) {
    return write(request, COMMAND, (input, options) => services.commands.assign(scope, entity, id, input, options));
  }
  if (name === 'purge')
    return write(request, REMOVE, (_, options) => services.commands.purge(scope, entity, id, options));
  if (name === 'restore')
    return write(request, STEP, (_, options) => services.writer.restore(scope, entity, id, options));
  return write(request, STEP, (input, options) => services.writer.transition(scope, entity, id, name, input, options));
}

export function merge(request: RecordRequest, id: string): Promise<void> {
  const { scope, entity, services } = request;
  return write(request, COMMAND, (input, options) => services.commands.merge(scope, entity, id, input, options));
}

/** `POST …/bin`: restores or purges several. */
export function bin(request: RecordRequest): Promise<void> {
  const { scope, entity, services } = request;
  return write(request, FREE_COMMAND, (input, options) => services.commands.bin(scope, entity, input, options));
}

/**
 * Which records a write by filter is about, and what it says of them: a filter in the address and the values in the
 * body, or `{"where": …, "set": …}` as the body.
 */
function whichAndWhat(request: RecordRequest, input: unknown): { readonly which: Query; readonly what: unknown } {
  if (request.search !== '') return { which: parseUrlQuery(request.search, { controls: [] }), what: input };
  const { where, set, ...rest } = objectOf(input);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    const message = `Without a filter in the address the body has “where” and “set”, and not “${unknown.slice(0, 60)}”.`;
    throw invalidAt(`/${unknown.replaceAll('~', '~0').replaceAll('/', '~1')}`, message, 'unknown_member');
  }
  return { which: parseJsonQuery({ where: where ?? {} }), what: set ?? {} };
}

/** `PATCH` on a collection: changes all records that match. */
export function changeMany(request: RecordRequest): Promise<void> {
  const { scope, entity, services } = request;
  return write(request, MANY, (input, options) => {
    const { which, what } = whichAndWhat(request, input);
    return services.writer.updateMany(scope, entity, which, what, options);
  });
}

/** `DELETE` on a collection: deletes all records that match. */
export function removeMany(request: RecordRequest): Promise<void> {
  const { scope, entity, services } = request;
  return write(request, MANY_OPTIONAL, (input, options) => {
    const { which } = whichAndWhat(request, input);
    return services.writer.removeMany(scope, entity, which, options);
  });
}

/** `POST …/$actions/{action}`: takes a step with all records that match, or gives them to another owner. */
export function actionMany(request: RecordRequest, name: string): Promise<void> {
  const { scope, entity, services } = request;
  return write(request, MANY_OPTIONAL, (input, options) => {
    const { which, what } = whichAndWhat(request, input);
    if (name === 'assign' && entity.owner) return services.writer.assignMany(scope, entity, which, what, options);
    return services.writer.transitionMany(scope, entity, which, name, what, options);
  });
}

async function setPassword(request: RecordRequest, userId: string): Promise<void> {
  if (preferencesOf(request.exchange.request).dryRun) {
    const message = 'A password cannot be set on trial: leave “tx=rollback” out.';
    throw new Problem('invalid_header', message, [{ code: 'invalid_header', message, parameter: 'Prefer' }]);
  }
  const input = objectOf(await readJson(request.exchange.request, RECORD_LIMIT));
  const { password, old_password: oldPassword } = input;
  if (typeof password !== 'string') throw invalidAt('/password', 'Give the new password.', 'required');
  const credentials = credentialsOf(request.exchange.request);
  await request.services.identity.setPassword(request.scope.principal, {
    userId,
    password,
    ...(credentials?.kind === 'cookie' && { keepToken: credentials.token }),
    ...(typeof oldPassword === 'string' && { oldPassword }),
  });
  sendEmpty(request.exchange, 204);
}
