/** The routes that are about no entity and for everybody: signing in, flags, settings, the screens, health. */
import { PROBLEMS } from '../problem.ts';
import { ALWAYS, problems, WITH_BODY } from './openapi-common.ts';
import type { Part, Paths } from './openapi-parts.ts';
import {
  answer,
  body,
  exactly,
  headerRef,
  inPath,
  json,
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

const SESSION = 'Session';
/** A metric; with its figures where it was asked for by name. */
export const SCREENS = 'Screens';

const PERSON: Readonly<Record<string, Part>> = {
  tenant: text,
  user: exactly({ id: orNull(uuid), name: text, email: orNull(text), roles: texts }),
  locale: text,
  timeZone: text,
};
const cookie: Part = { 'Set-Cookie': { description: 'The session, or its end.', schema: text } };
const open: Part = { security: [] };

const HEALTH = exactly({
  status: { enum: ['ok', 'unready', 'stopping'] },
  database: { enum: ['ok', 'unreachable'] },
  migrations: { enum: ['ok', 'pending', 'unknown'] },
});

const SETTING = exactly({
  setting: text,
  label: text,
  help: orNull(text),
  scope: { enum: ['tenant', 'user'] },
  secret: yesNo,
  schema: { type: 'object', description: 'JSON Schema of a value.' },
  value: { description: 'The value that counts; of a secret always null.' },
  set: { type: 'boolean', description: 'Whether somebody has set it.' },
});

/** What the screens are built from. Its parts are for them and may change with a release. */
const UI_MODEL = exactly({
  tenant: exactly({ key: text, name: text, currency: text, timeZone: text }),
  release: whole,
  user: exactly({ id: orNull(uuid), name: text, email: orNull(text), roles: texts, administrator: yesNo }),
  locale: text,
  direction: { enum: ['ltr', 'rtl'] },
  locales: listOf(exactly({ key: text, label: text })),
  menus: listOf({ type: 'object' }),
  entities: mapOf({ type: 'object' }),
});

/** Tags of these routes. */
export const INSTALLATION_TAGS: readonly Part[] = [
  { name: SESSION, description: 'Who is asking' },
  { name: SCREENS, description: 'What the screens and programs are told about the organisation' },
  { name: 'Health', description: 'For balancers and people on call' },
];

export const INSTALLATION_PATHS: Paths = {
  '/api/session': {
    get: {
      operationId: 'session',
      tags: [SESSION],
      summary: 'Who is asking',
      responses: { '200': answer('The person, or the program’s user.', exactly(PERSON)), ...problems(401, 500, 503) },
    },
    post: {
      operationId: 'sign_in',
      tags: [SESSION],
      summary: 'Sign in with a password',
      ...open,
      requestBody: body(
        exactly({ email: text, password: { type: 'string', writeOnly: true }, organisation: text }, ['organisation']),
        { email: 'sara@example.com', password: 'correct-horse-battery', organisation: 'example' },
      ),
      responses: {
        '201': answer('Signed in; the cookie is the session.', exactly({ ...PERSON, expiresAt: moment }), cookie),
        ...problems(400, 401, 403, 413, 415, 422, 429, 500, 503),
      },
    },
    delete: {
      operationId: 'sign_out',
      tags: [SESSION],
      summary: 'Sign out',
      description: 'Ends the session, or revokes the token, that the request is made with.',
      responses: { '204': { description: 'Signed out.', headers: cookie }, ...problems(401, 403, 500, 503) },
    },
  },
  '/api/flags': {
    get: {
      operationId: 'flags',
      tags: [SCREENS],
      summary: 'Which flags are on for the caller',
      responses: { '200': answer('By qualified name.', mapOf(yesNo)), ...problems(401, 500, 503) },
    },
  },
  '/api/settings': {
    get: {
      operationId: 'settings',
      tags: [SCREENS],
      summary: 'Settings with their values',
      responses: { '200': answer('What the caller may know of.', listOf(SETTING)), ...problems(401, 500, 503) },
    },
    put: {
      operationId: 'change_settings',
      tags: [SCREENS],
      summary: 'Set settings, all or none',
      requestBody: body({ type: 'object', description: 'Value by setting; null takes a value away.' }, {}),
      responses: { '204': { description: 'Set.' }, ...problems(400, 401, 403, 413, 415, 422, 500, 503) },
    },
  },
  '/api/ui/model': {
    get: {
      operationId: 'ui_model',
      tags: [SCREENS],
      summary: 'What the screens are built from',
      parameters: [query('locale', 'A language; the caller’s own without it.', text, 'en'), parameter('ifNoneMatch')],
      responses: {
        '200': {
          description: 'The model as the caller may see it.',
          headers: headerRef('ETag'),
          content: json(UI_MODEL),
        },
        '304': { description: 'It is as the ETag says.' },
        ...problems(401, 500, 503),
      },
    },
  },
  '/api/openapi.json': {
    get: {
      operationId: 'openapi',
      tags: [SCREENS],
      summary: 'This document',
      parameters: [parameter('ifNoneMatch')],
      responses: {
        '200': {
          description: 'OpenAPI 3.1, as the caller may use the API.',
          headers: headerRef('ETag'),
          content: json(
            exactly(
              Object.fromEntries(
                ['openapi', 'jsonSchemaDialect', 'info', 'servers', 'security', 'tags', 'paths', 'components'].map(
                  (key) => [key, {}],
                ),
              ),
            ),
          ),
        },
        '304': { description: 'It is as the ETag says.' },
        ...problems(401, 500, 503),
      },
    },
  },
  '/problems/{code}': {
    get: {
      operationId: 'problem',
      tags: ['Health'],
      summary: 'What the code of a problem means',
      ...open,
      parameters: [inPath('code', 'As in a problem’s `code`.', text, 'not_found')],
      responses: {
        '200': {
          description: 'The code explained; a page for browsers.',
          content: {
            ...json(exactly({ code: { enum: Object.keys(PROBLEMS) }, title: text, status: whole, retryable: yesNo })),
            'text/html': { schema: text },
          },
        },
        ...problems(404, 500),
      },
    },
  },
  '/livez': {
    get: {
      operationId: 'live',
      tags: ['Health'],
      summary: 'Whether the process turns',
      ...open,
      responses: {
        '200': { description: 'It does.', content: json(exactly({ status: { const: 'ok' } })) },
        ...problems(500),
      },
    },
  },
  '/readyz': {
    get: {
      operationId: 'ready',
      tags: ['Health'],
      summary: 'Whether it can work',
      ...open,
      responses: {
        '200': { description: 'The database answers and has every migration.', content: json(HEALTH) },
        '503': { description: 'Not now; the parts say why.', content: json(HEALTH) },
        ...problems(500),
      },
    },
  },
};

/** Statuses that an operation of a program may be answered with beside its own. */
export const ADMINISTRATION: readonly number[] = [...new Set([...ALWAYS, 403])].filter((status) => status !== 406);
export const ADMINISTRATION_WRITE: readonly number[] = WITH_BODY.filter((status) => status !== 406 && status !== 412);
