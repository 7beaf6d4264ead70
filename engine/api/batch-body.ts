/** What a batch may say, checked before anything of it is done. */
import type { ProblemDetail } from '../problem.ts';
import { invalidAt, Problem } from '../problem.ts';
import { referredTo } from './batch-references.ts';
import type { Part } from './part.ts';
import { isRecordPath, restOf } from './records.ts';

export const MAX_PARTS = 100;

export interface BatchBody {
  readonly atomic: boolean;
  readonly parts: readonly Part[];
}

const MEMBERS: ReadonlySet<string> = new Set(['atomic', 'requests']);
const PART_MEMBERS: ReadonlySet<string> = new Set(['id', 'method', 'path', 'headers', 'body']);
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY', 'POST', 'PUT', 'PATCH', 'DELETE']);
const HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'prefer',
]);
const ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Characters of an address. */
const MAX_PATH = 8000;

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/**
 * @throws Problem `invalid` with a pointer for everything that is wrong
 */
export function parseBatch(json: unknown): BatchBody {
  const faults: ProblemDetail[] = [];
  const wrong = (pointer: string, message: string, code = 'invalid') => {
    faults.push({ code, message, pointer });
  };
  const body = isObject(json) ? json : {};
  const { atomic = true, requests } = body;
  if (!isObject(json)) wrong('', 'The body must be an object.', 'wrong_type');
  for (const key of Object.keys(body))
    if (!MEMBERS.has(key)) wrong(`/${pointed(key)}`, `A batch has “atomic” and “requests”.`, 'unknown_member');
  if (typeof atomic !== 'boolean') wrong('/atomic', '“atomic” is true or false.', 'wrong_type');
  const list: readonly unknown[] = Array.isArray(requests) ? requests : [];
  if (list.length === 0) wrong('/requests', 'Send a list of requests.', 'required');
  if (list.length > MAX_PARTS) wrong('/requests', `At most ${MAX_PARTS} requests.`, 'too_many');
  const known = new Set<string>();
  const parts = list.slice(0, MAX_PARTS).flatMap((one, index) => {
    const part = parsePart(one, `/requests/${index}`, known, wrong);
    if (part) known.add(part.id);
    return part ? [part] : [];
  });
  const [first] = faults;
  if (first) {
    const rest = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
    throw new Problem('invalid', `${first.message}${rest}`, faults.slice(0, 100));
  }
  return { atomic: atomic === true, parts };
}

type Wrong = (pointer: string, message: string, code?: string) => void;

function parsePart(json: unknown, pointer: string, known: ReadonlySet<string>, wrong: Wrong): Part | null {
  if (!isObject(json)) {
    wrong(pointer, 'A request is an object with “id”, “method” and “path”.', 'wrong_type');
    return null;
  }
  const { id, method, path, headers = {}, body } = json;
  for (const key of Object.keys(json))
    if (!PART_MEMBERS.has(key))
      wrong(
        `${pointer}/${pointed(key)}`,
        'A request has “id”, “method”, “path”, “headers” and “body”.',
        'unknown_member',
      );
  if (typeof id !== 'string' || !ID.test(id))
    wrong(`${pointer}/id`, 'An id has 1 to 64 letters, digits, “-” and “_”.', 'required');
  else if (known.has(id)) wrong(`${pointer}/id`, `There is a request “${id}” already.`, 'duplicate');
  if (typeof method !== 'string' || !METHODS.has(method))
    wrong(`${pointer}/method`, `The method is one of ${[...METHODS].join(', ')}.`, 'choice');
  if (typeof path !== 'string' || path.length > MAX_PATH || !mayStandIn(path, method))
    wrong(`${pointer}/path`, NO_PATH);
  const given = headersOf(headers, pointer, wrong);
  if (typeof id !== 'string' || typeof method !== 'string' || typeof path !== 'string') return null;
  const part: Part = { id, method, path, headers: given, body };
  for (const other of referredTo(part)) {
    if (!known.has(other)) wrong(pointer, `“@{${other}.…}” must name a request before this one.`, 'reference');
  }
  return part;
}

const NO_PATH =
  'The path is the address of records, “/api/{pack}/v1/{plural}…”; files, streams, passwords and batches are asked for by themselves.';

/** Looks at a path again, once answers of earlier requests stand in it. @throws Problem `invalid` */
export function requirePath({ path, method }: Part, pointer: string): void {
  if (path.length > MAX_PATH || !mayStandIn(path, method)) throw invalidAt(`${pointer}/path`, NO_PATH);
}

/** Records, and nothing that streams, comes in pieces, ends sessions, or needs a connection beside the batch's. */
function mayStandIn(path: string, method: unknown): boolean {
  // References cannot decide which entity is asked: only what stands behind it.
  if (!/^\/api\/[a-z][a-z0-9_]*\/v1\/[a-z][a-z0-9_]*(?:[/?]|$)/.test(path) || !isRecordPath(path) || /[\s#]/.test(path))
    return false;
  const [first = '', second, third] = restOf(path).map((part) => part.replace(/^%24/i, '$'));
  if (first === 'imports' || first === 'files' || second === 'templates' || third === 'set_password') return false;
  // An action that an answer would name could be any.
  if (second === 'actions' && /%|@/.test(third ?? '')) return false;
  if (!first.startsWith('$')) return true;
  return method === 'POST' && (first === '$query' || first === '$actions');
}

function headersOf(json: unknown, pointer: string, wrong: Wrong): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  if (!isObject(json)) {
    wrong(`${pointer}/headers`, 'Headers are an object of texts.', 'wrong_type');
    return found;
  }
  for (const [name, value] of Object.entries(json)) {
    const key = name.toLowerCase();
    if (!HEADERS.has(key) || typeof value !== 'string' || value.length > 2000 || /[^\t\x20-\x7e\x80-\xff]/.test(value))
      wrong(`${pointer}/headers/${pointed(name)}`, `The headers of a request are ${[...HEADERS].join(', ')}.`);
    else found[key] = value;
  }
  return found;
}

/** RFC 6901 §3. */
function pointed(key: string): string {
  return key.slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1');
}
