/** Shaping the model as OpenAPI paths: for administrators alone. */
import { ADMINISTRATION, ADMINISTRATION_WRITE } from './openapi-installation.ts';
import { problems } from './openapi-common.ts';
import type { Part, Paths } from './openapi-parts.ts';
import {
  answer,
  body,
  exactly,
  headerRef,
  inPath,
  listOf,
  mapOf,
  moment,
  orNull,
  parameter,
  query,
  text,
  texts,
  uuid,
  whole,
  yesNo,
} from './openapi-parts.ts';
import { schemaRef } from './openapi-schemas.ts';

const TAG = 'Metadata';

export const METADATA_TAG: Part = { name: TAG, description: 'Documents, plans, releases, drafts and flags' };

const DOCUMENT: Part = {
  type: 'object',
  required: ['kind'],
  properties: { kind: text },
  additionalProperties: true,
  description: 'A metadata document; its JSON Schema is at `/api/metadata/schema/{kind}.json`.',
};
const RESOLUTIONS: Part = {
  ...mapOf({ enum: ['keep', 'take'] }),
  description: 'What is decided where documents disagree, by the id of the disagreement.',
};
const MESSAGE: Part = { type: 'string', minLength: 1, maxLength: 500, description: 'What the release is for.' };

/** What becomes of the values of a field whose type changes. */
const CONVERSION = exactly(
  {
    entity: text,
    field: text,
    from: text,
    to: text,
    checked: whole,
    fails: whole,
    onFail: { enum: ['null', 'refuse'] },
    sample: listOf({ type: 'object' }),
  },
  ['sample'],
);

const STEP = exactly({
  number: whole,
  release: whole,
  kind: text,
  title: text,
  why: text,
  sql: texts,
  state: text,
  supersededBy: orNull(whole),
  attempts: whole,
  error: orNull(text),
  done: whole,
  total: orNull(whole),
  createdAt: moment,
  startedAt: orNull(moment),
  finishedAt: orNull(moment),
});

/** What a list tells of a release, and of a draft. */
const RELEASE = { number: whole, base: whole, author: text, message: text, createdAt: moment };
const DRAFTED = {
  author: uuid,
  authorName: text,
  name: text,
  base: whole,
  message: text,
  version: whole,
  updatedAt: moment,
};

/** Under `components/schemas`, for administrators. */
export const METADATA_SCHEMAS: Readonly<Record<string, Part>> = {
  Plan: exactly(
    {
      base: whole,
      next: whole,
      steps: listOf(
        exactly(
          {
            kind: text,
            title: text,
            why: text,
            sql: texts,
            lock: { enum: ['none', 'share', 'exclusive'] },
            seconds: { type: 'number', description: 'Estimated, where it depends on the number of records.' },
            rows: { type: 'integer', description: 'Estimated.' },
            risk: { enum: ['none', 'low', 'medium', 'high'] },
            reversible: yesNo,
            deferred: { const: true, description: 'Done after the publish, beside everybody’s work.' },
          },
          ['seconds', 'deferred'],
        ),
      ),
      warnings: texts,
      conversions: listOf(CONVERSION),
      conflicts: {
        ...listOf({ type: 'object' }),
        description: 'Of a plan: where a pack’s upgrade and the organisation’s documents disagree.',
      },
    },
    ['conversions', 'conflicts'],
  ),
  ReleaseSummary: exactly(RELEASE),
  Release: exactly({ ...RELEASE, plan: schemaRef('Plan') }),
  DraftSummary: exactly(DRAFTED),
  Draft: exactly({ ...DRAFTED, documents: listOf(DOCUMENT) }),
  Step: STEP,
  Flag: exactly({
    flag: text,
    label: text,
    description: orNull(text),
    default: yesNo,
    switched: orNull(yesNo),
    roles: orNull(texts),
    percent: orNull({ type: 'number' }),
    from: orNull(moment),
    until: orNull(moment),
    on: { type: 'boolean', description: 'For the caller.' },
  }),
};

interface Operation {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Part[];
  readonly body?: Part;
  readonly answers: Readonly<Record<string, Part>>;
  /** Problems beside those of every one of these routes. */
  readonly also?: readonly number[];
}

function operation({ id, summary, description, parameters, body: requestBody, answers, also = [] }: Operation): Part {
  return {
    operationId: id,
    tags: [TAG],
    summary,
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
    ...(requestBody && { requestBody }),
    responses: {
      ...answers,
      ...problems(...new Set([...(requestBody ? ADMINISTRATION_WRITE : ADMINISTRATION), ...also])),
    },
  };
}

const ON_FAIL: Part = {
  ...mapOf({ enum: ['null', 'refuse'] }),
  description: 'By qualified field: what becomes of values that its new type cannot take.',
};

const SOURCE: Readonly<Record<string, Part>> = {
  packs: { type: 'array', items: text, description: 'Packs to have; what is left out stays as it is.' },
  documents: {
    type: 'array',
    items: DOCUMENT,
    description: 'All of the organisation’s own: one that is missing is removed.',
  },
  upgrade: { type: 'boolean', description: 'Takes the packs as they are shipped now.' },
  resolutions: RESOLUTIONS,
  onFail: ON_FAIL,
  base: { type: 'integer', minimum: 0, description: 'Release it is based on.' },
  message: MESSAGE,
};
const OPTIONAL = ['packs', 'documents', 'upgrade', 'resolutions', 'onFail'];

const BOAT = {
  kind: 'entity',
  key: 'boat',
  plural: 'boats',
  label: 'Boat',
  pluralLabel: 'Boats',
  fields: [{ key: 'name', type: 'text', label: 'Name', required: true }],
};
const RELEASE_EXAMPLE = { base: 1, message: 'Boats', documents: [BOAT] };
const PLAN = answer('What it would do.', schemaRef('Plan'));
const PUBLISHED = answer('The new release.', schemaRef('Release'));
const DRAFT = answer('The draft.', schemaRef('Draft'), headerRef('ETag'));
const NAME = inPath('name', 'Name of the draft.', { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,59}$' }, 'boats');
const FLAG = inPath('flag', 'Qualified name of the flag.', text);
const RESOLVED = body(exactly({ resolutions: RESOLUTIONS }, ['resolutions']), {});

const DRAFT_PATHS: Paths = {
  '/api/metadata/drafts': {
    get: operation({
      id: 'drafts',
      summary: 'Drafts of all administrators',
      answers: { '200': answer('Without their documents.', listOf(schemaRef('DraftSummary'))) },
    }),
  },
  '/api/metadata/drafts/{name}': {
    parameters: [NAME],
    get: operation({
      id: 'draft',
      summary: 'A draft',
      parameters: [query('author', 'User whose draft it is, by id or e-mail; the caller without it.', text)],
      answers: { '200': DRAFT },
    }),
    put: operation({
      id: 'save_draft',
      summary: 'Keep a draft',
      parameters: [parameter('ifMatch')],
      body: body(exactly({ base: whole, documents: listOf(DOCUMENT), message: MESSAGE }, ['message']), RELEASE_EXAMPLE),
      answers: { '200': DRAFT, '201': DRAFT },
      also: [412],
    }),
    delete: operation({
      id: 'delete_draft',
      summary: 'Throw a draft of one’s own away',
      answers: { '204': { description: 'Gone.' } },
    }),
  },
  '/api/metadata/drafts/{name}/rebase': {
    parameters: [NAME],
    post: operation({
      id: 'rebase_draft',
      summary: 'Bring a draft up to the latest release',
      body: RESOLVED,
      answers: { '200': DRAFT },
    }),
  },
  '/api/metadata/drafts/{name}/merge': {
    parameters: [NAME],
    post: operation({
      id: 'merge_drafts',
      summary: 'Take other drafts into this one',
      body: body(
        exactly(
          {
            from: {
              type: 'array',
              minItems: 1,
              maxItems: 20,
              items: exactly({ author: { ...text, description: 'Id or e-mail.' }, name: text }, ['author']),
            },
            resolutions: RESOLUTIONS,
          },
          ['resolutions'],
        ),
        { from: [{ name: 'boats' }] },
      ),
      answers: { '200': DRAFT },
    }),
  },
  '/api/metadata/drafts/{name}/plan': {
    parameters: [NAME],
    post: operation({
      id: 'plan_draft',
      summary: 'What publishing a draft would do',
      body: RESOLVED,
      answers: { '200': PLAN },
    }),
  },
  '/api/metadata/drafts/{name}/publish': {
    parameters: [NAME],
    post: operation({
      id: 'publish_draft',
      summary: 'Publish a draft',
      body: body(exactly({ message: MESSAGE, resolutions: RESOLUTIONS }, ['message', 'resolutions']), {
        message: 'Boats',
      }),
      answers: { '201': PUBLISHED },
    }),
  },
};

const FLAG_PATHS: Paths = {
  '/api/metadata/flags': {
    get: operation({
      id: 'flag_states',
      summary: 'All flags, and what they are switched to',
      answers: { '200': answer('Every flag of the model.', listOf(schemaRef('Flag'))) },
    }),
  },
  '/api/metadata/flags/{flag}': {
    parameters: [FLAG],
    put: operation({
      id: 'switch_flag',
      summary: 'Switch a flag',
      body: body(exactly({ on: { type: ['boolean', 'null'], description: 'null: what the document says.' } }), {
        on: true,
      }),
      answers: { '200': answer('The flag.', orNull(schemaRef('Flag'))) },
    }),
  },
};

const STEPS = answer('Steps, the newest first.', listOf(schemaRef('Step')));
const STEP_NUMBER = inPath('number', 'Number of the step.', { type: 'integer', minimum: 1 }, 1);

/** What publishes left for afterwards. */
const STEP_PATHS: Paths = {
  '/api/metadata/steps': {
    get: operation({ id: 'steps', summary: 'What publishes left for afterwards', answers: { '200': STEPS } }),
  },
  '/api/metadata/steps/{number}/cancel': {
    parameters: [STEP_NUMBER],
    post: operation({ id: 'cancel_step', summary: 'Take a step back', answers: { '200': STEPS }, also: [409] }),
  },
  '/api/metadata/steps/{number}/retry': {
    parameters: [STEP_NUMBER],
    post: operation({ id: 'retry_step', summary: 'Try a step again', answers: { '200': STEPS }, also: [409] }),
  },
};

const RELEASE_NUMBER: Part = { type: 'integer', minimum: 0 };

export const METADATA_PATHS: Paths = {
  '/api/metadata/documents': {
    get: operation({
      id: 'documents',
      summary: 'The organisation’s own documents',
      answers: {
        '200': answer(
          'As they were published.',
          exactly({ release: whole, packs: texts, versions: mapOf(text), documents: listOf(DOCUMENT) }),
        ),
      },
    }),
  },
  '/api/metadata/plan': {
    post: operation({
      id: 'plan',
      summary: 'What a publish would do',
      body: body(exactly(SOURCE, [...OPTIONAL, 'base', 'message']), RELEASE_EXAMPLE),
      answers: { '200': PLAN },
    }),
  },
  '/api/metadata/publish': {
    post: operation({
      id: 'publish',
      summary: 'Publish a release',
      body: body(exactly(SOURCE, OPTIONAL), RELEASE_EXAMPLE),
      answers: { '201': PUBLISHED },
    }),
  },
  '/api/metadata/rollback': {
    post: operation({
      id: 'rollback',
      summary: 'Publish an earlier release again',
      body: body(exactly({ base: whole, to: whole, message: MESSAGE, onFail: ON_FAIL }, ['onFail']), {
        base: 2,
        to: 1,
        message: 'No boats',
      }),
      answers: { '201': PUBLISHED },
    }),
  },
  '/api/metadata/releases': {
    get: operation({
      id: 'releases',
      summary: 'Releases, the newest first',
      answers: { '200': answer('Without their plans.', listOf(schemaRef('ReleaseSummary'))) },
    }),
  },
  '/api/metadata/releases/{number}': {
    parameters: [inPath('number', 'Number of the release.', { type: 'integer', minimum: 1 }, 1)],
    get: operation({
      id: 'release',
      summary: 'A release with what it did',
      answers: { '200': answer('The release.', schemaRef('Release')) },
    }),
  },
  '/api/metadata/export': {
    get: operation({
      id: 'export_metadata',
      summary: 'The documents as files',
      answers: { '200': answer('Text by file name.', exactly({ release: whole, files: mapOf(text) })) },
    }),
  },
  '/api/metadata/diff': {
    get: operation({
      id: 'diff_releases',
      summary: 'What differs between two releases',
      parameters: [
        query('from', 'A release; the one before `to` without it.', RELEASE_NUMBER, 1),
        query('to', 'A release; the latest without it.', RELEASE_NUMBER, 1),
      ],
      answers: {
        '200': answer('Documents with all layers merged.', {
          type: 'object',
          description: 'What was added, removed and changed.',
        }),
      },
    }),
  },
  '/api/metadata/schema/{file}': {
    parameters: [inPath('file', 'A kind of documents.', text, 'entity.json')],
    get: operation({
      id: 'metadata_schema',
      summary: 'The JSON Schema of a kind of documents',
      answers: {
        '200': {
          description: 'For editors.',
          content: { 'application/schema+json': { schema: { type: 'object' } } },
        },
      },
    }),
  },
  ...DRAFT_PATHS,
  ...FLAG_PATHS,
  ...STEP_PATHS,
};
