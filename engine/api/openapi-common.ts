/** The parts of the OpenAPI document that are the same for every entity. */
import { PROBLEMS } from '../problem.ts';
import { IMPORT_SCHEMAS } from './openapi-imports.ts';
import { MAX_DEPTH, RECORD_LIMIT } from './body.ts';

type Part = Readonly<Record<string, unknown>>;

const text = (extra: Part = {}): Part => ({ type: 'string', ...extra });

function control(name: string, schema: Part, description: string, example?: unknown): Part {
  return { name, in: 'query', required: false, description, schema, ...(example !== undefined && { example }) };
}

function header(name: string, description: string, schema: Part = text(), example?: unknown): Part {
  return { name, in: 'header', required: false, description, schema, ...(example !== undefined && { example }) };
}

export const COMMON_PARAMETERS: Readonly<Record<string, Part>> = {
  id: { name: 'id', in: 'path', required: true, description: 'Id of the record.', schema: text({ format: 'uuid' }) },
  import: {
    name: 'import',
    in: 'path',
    required: true,
    description: 'Id of the import.',
    schema: text({ format: 'uuid' }),
  },
  select: control('$select', text(), 'Fields to answer; referenced and child records in parentheses.', 'id,_title'),
  order: control('$order', text(), 'Fields to sort by, `-` for descending.', '-created_at'),
  first: control('$first', { type: 'integer', minimum: 1, maximum: 200, default: 50 }, 'Records per page.'),
  after: control('$after', text(), 'Cursor of the page before: `page.next` of its answer.'),
  before: control('$before', text(), 'Cursor of the page after: `page.prev` of its answer.'),
  offset: control('$offset', { type: 'integer', minimum: 0, maximum: 10_000 }, 'Records to skip; cursors are faster.'),
  count: control(
    '$count',
    { enum: ['none', 'exact', 'capped'], default: 'none' },
    '`capped` counts to 10,000 and then says “at least”.',
  ),
  search: control('$search', text({ maxLength: 200 }), 'Words to look for in the searchable fields.'),
  where: control(
    '$where',
    text(),
    'A condition as JSON, for what parameters cannot say: `or`, `some`, `none`, `every`.',
  ),
  last: control('$last', { type: 'integer', minimum: 1, maximum: 200 }, 'The last records of the order instead.'),
  having: control('$having', text(), 'Conditions on groups, by the names of aggregates.', 'n[gte]:5'),
  distinct: control('$distinct', text(), 'Fields whose different values are answered.', 'owner'),
  view: control('$view', text(), 'Key of a view, whose filter is added.'),
  group: control('$group', text(), 'Fields to group by; dates in buckets.', 'month(created_at)'),
  deleted: control('$deleted', { enum: ['only'] }, 'Answers what is in the bin instead.'),
  agg: control('$agg', text(), 'What to compute per group: `name:function(field)`.', 'n:count()'),
  ifMatch: header(
    'If-Match',
    'ETag of the record as it was read, or several: the change is refused (412) when someone else was first. Versions are compared; a weak tag never matches; `*` stands for any record that exists.',
    text(),
    '"v3.x1Y2z3"',
  ),
  ifNoneMatch: header('If-None-Match', 'ETag of what is known already: answered with 304 when it is still so.'),
  idempotencyKey: header(
    'Idempotency-Key',
    'Makes sending the same request twice safe: the second one gets the first answer.',
    text({ minLength: 1, maxLength: 255 }),
  ),
  upsert: control(
    '$upsert',
    text(),
    'Fields of a unique key: records that have it already are changed, the others created.',
    'code',
  ),
  prefer: header(
    'Prefer',
    '`return=minimal`: answer without the record. `tx=rollback`: do everything and keep nothing. `max-affected=N`: how many records a filter may match; with 0 the request is refused when any does. `duplicates=refuse`, `report` or `ignore`: what becomes of new records that may be there already. `handling=strict`: refuse what is not known here.',
    text(),
    'return=minimal',
  ),
};

export const COMMON_HEADERS: Readonly<Record<string, Part>> = {
  ETag: { description: 'Version of the record and a hash of the answer.', schema: text() },
  Location: { description: 'Address of the new record.', schema: text({ format: 'uri-reference' }) },
  Link: { description: 'The next page, `rel="next"` (RFC 8288).', schema: text() },
  'Idempotency-Replayed': {
    description: 'Whether the answer is that of an earlier request with the same key.',
    schema: { const: 'true' },
  },
  'Preference-Applied': { description: 'What of `Prefer` was fulfilled.', schema: text() },
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } },
};

/** Codes by status, so that each status is one reusable response. */
const byStatus = Map.groupBy(Object.entries(PROBLEMS), ([, [status]]) => status);

function problemResponse(
  status: number,
  codes: readonly (readonly [string, readonly [number, string, boolean]])[],
): Part {
  const [code = 'internal', [, title] = [0, '']] = codes[0] ?? [];
  return {
    description: codes.map(([key, [, sentence]]) => `\`${key}\`: ${sentence}.`).join(' '),
    ...((status === 429 || status === 503) && {
      headers: { 'Retry-After': { $ref: '#/components/headers/Retry-After' } },
    }),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        example: {
          type: `/problems/${code}`,
          title,
          status,
          code,
          detail: `${title}.`,
          instance: 'Zk3Qb1xW-1a',
          retryable: codes[0]?.[1][2] ?? false,
          errors: [],
        },
      },
    },
  };
}

/** By status, e.g. `problem404`. */
export const COMMON_RESPONSES: Readonly<Record<string, Part>> = Object.fromEntries(
  [...byStatus].map(([status, codes]) => [`problem${status}`, problemResponse(status, codes)]),
);

/** References to the problems of these statuses, as an operation lists them. */
export function problems(...statuses: readonly number[]): Record<string, Part> {
  return Object.fromEntries(
    statuses.map((status) => [String(status), { $ref: `#/components/responses/problem${status}` }]),
  );
}

/** What every route can answer, and what those with a body can. */
export const ALWAYS: readonly number[] = [400, 401, 404, 406, 500, 503];
export const WITH_BODY: readonly number[] = [...ALWAYS, 403, 409, 412, 413, 415, 422];

export const COMMON_SCHEMAS: Readonly<Record<string, Part>> = {
  Problem: {
    type: 'object',
    description: `RFC 9457. Bodies may have ${RECORD_LIMIT} bytes and be nested ${MAX_DEPTH} deep.`,
    required: ['type', 'title', 'status', 'code', 'detail', 'instance', 'retryable', 'errors'],
    properties: {
      type: text({ format: 'uri-reference' }),
      title: text(),
      status: { type: 'integer' },
      code: { enum: Object.keys(PROBLEMS) },
      detail: text(),
      instance: text({ description: 'Id of the request, as the server logs it.' }),
      retryable: { type: 'boolean', description: 'Whether the same request may succeed later.' },
      errors: { type: 'array', items: { $ref: '#/components/schemas/ProblemDetail' } },
    },
  },
  ProblemDetail: {
    type: 'object',
    required: ['code', 'message'],
    properties: {
      code: text(),
      message: text(),
      pointer: text({ description: 'JSON Pointer into the body that was sent.' }),
      parameter: text({ description: 'Query parameter or header.' }),
      document: text(),
      params: { type: 'object' },
    },
  },
  Page: {
    type: 'object',
    required: ['next', 'prev'],
    properties: { next: text({ type: ['string', 'null'] }), prev: text({ type: ['string', 'null'] }) },
  },
  Count: {
    type: ['object', 'null'],
    properties: { value: { type: 'integer' }, mode: text() },
  },
  HistoryEntry: {
    type: 'object',
    properties: {
      at: text({ format: 'date-time' }),
      actor: { type: ['object', 'null'], properties: { id: text({ type: ['string', 'null'] }), name: text() } },
      version: { type: 'integer' },
      changes: {
        type: 'array',
        items: { type: 'object', properties: { field: text(), label: text(), old: {}, new: {} } },
      },
    },
  },
  ...IMPORT_SCHEMAS,
};
