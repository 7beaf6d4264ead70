/** Requests at random, over every route of an OpenAPI document and those beside it. */
import type { Random } from '#tests/support/random.ts';
import { jsonText, mutated, pick, text, value } from './garbage.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | FormData | null;
}

export interface Operation {
  readonly method: string;
  /** With `{id}` and the like. */
  readonly path: string;
  readonly parameters: readonly string[];
  /** Valid bodies to begin with. */
  readonly bodies: readonly unknown[];
}

/** What is real: things that garbage can be mixed with, so that it gets further in. */
export interface Known {
  /** By the beginning of a path. */
  readonly ids: ReadonlyMap<string, readonly string[]>;
  readonly fields: readonly string[];
}

const OPERATORS = [
  'eq',
  'ne',
  'lt',
  'gte',
  'in',
  'nin',
  'between',
  'null',
  'contains',
  'istarts',
  'has',
  'hasAny',
  'within',
  'under',
  'search',
  'x',
  '',
];
const METHODS = ['GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'QUERY', 'HEAD', 'OPTIONS'];
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'if-match': ['*', '"v1"', '"v1.abc"', 'W/"v1"', '"v99999999999999999999"', '"', 'v1', '"v1", "v2"'],
  'if-none-match': ['*', '"v1.x"', 'W/"a"', '""', ','],
  prefer: [
    'return=minimal',
    'tx=rollback',
    'max-affected=0',
    'max-affected=abc',
    'handling=strict, x=y',
    ';;;',
    'return=minimal, return=representation',
  ],
  'idempotency-key': ['a', '"a"', 'x'.repeat(300), '""', 'é'],
  accept: ['text/html', 'application/json;q=0', '*/*', 'text/csv', 'application/x-ndjson', 'x'],
  'content-type': [
    'application/json',
    'text/plain',
    'application/merge-patch+json',
    'multipart/form-data',
    'application/json; charset=latin1',
    '',
  ],
  range: ['bytes=0-1', 'x'],
  'last-event-id': ['x'],
};

function pathOf(random: Random, operation: Operation, known: Known): string {
  const own = [...known.ids].find(([path]) => operation.path.startsWith(path))?.[1] ?? [...known.ids.values()].flat();
  return operation.path.replaceAll(/\{[^}]+\}/g, () => {
    const dice = random.next();
    if (dice < 0.8) return pick(random, own);
    if (dice < 0.87) return '01900000-0000-7000-8000-000000000000';
    return encodeURIComponent(text(random).slice(0, 200).toWellFormed());
  });
}

function fieldPath(random: Random, known: Known): string {
  const field = pick(random, known.fields);
  return random.next() < 0.2 ? `${field}.${pick(random, known.fields)}` : field;
}

function queryOf(random: Random, operation: Operation, known: Known): string {
  const parts: string[] = [];
  for (let count = random.below(5); count > 0; count -= 1) {
    const dice = random.next();
    const name =
      dice < 0.45 && operation.parameters.length > 0
        ? pick(random, operation.parameters)
        : dice < 0.9
          ? `${fieldPath(random, known)}[${pick(random, OPERATORS)}]`
          : text(random).slice(0, 100);
    const given = random.next();
    const said =
      given < 0.3
        ? fieldPath(random, known)
        : given < 0.4
          ? `${fieldPath(random, known)}(${fieldPath(random, known)},*)`
          : given < 0.5
            ? `n:count(),s:sum(${fieldPath(random, known)})`
            : given < 0.6
              ? String(random.below(1000) - 10)
              : text(random).slice(0, 3000);
    parts.push(
      `${encodeURIComponent(name.toWellFormed())}=${random.next() < 0.05 ? '%zz' : encodeURIComponent(said.toWellFormed())}`,
    );
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

export function requestOf(random: Random, operations: readonly Operation[], known: Known): FuzzRequest {
  const operation = pick(random, operations);
  const method = random.next() < 0.04 ? pick(random, METHODS) : operation.method;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (const [name, values] of Object.entries(HEADERS)) {
    if (random.next() < 0.05) headers[name] = pick(random, values).replaceAll(/[^\x20-\x7e]/g, '?');
  }
  const path = pathOf(random, operation, known) + queryOf(random, operation, known);
  if (method === 'GET' || method === 'HEAD') return { method, path, headers, body: null };
  if (operation.path.endsWith('/imports') && random.next() < 0.7)
    return { method, path, headers: {}, body: fileOf(random) };
  const original = operation.bodies.length > 0 ? pick(random, operation.bodies) : {};
  const body = random.next() < 0.15 ? value(random) : mutated(random, original);
  return { method, path, headers, body: jsonText(random, body) };
}

function fileOf(random: Random): FormData {
  const form = new FormData();
  const rows = Array.from({ length: random.below(30) }, () => `${text(random)},${text(random)}`);
  const content =
    random.next() < 0.2
      ? new Uint8Array(Array.from({ length: 200 }, () => random.below(256)))
      : `Name,Email\n${rows.join('\n')}`;
  form.set(
    random.next() < 0.9 ? 'file' : 'fiel',
    new File([content], pick(random, ['a.csv', 'a.xlsx', '../a.csv', ''])),
  );
  return form;
}
