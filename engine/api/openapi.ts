/** `GET /api/openapi.json`: the API as this principal's roles see it, as an OpenAPI 3.1 document. */
import type { Express } from 'express';
import type { Model } from '../model/model.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate } from './authenticate.ts';
import { sendEmpty, sendText } from './exchange.ts';
import { INSTALLATION_PATHS, INSTALLATION_TAGS, SCREENS } from './openapi-installation.ts';
import { metricPaths, metricSchemas } from './openapi-metrics.ts';
import { METADATA_PATHS, METADATA_SCHEMAS, METADATA_TAG } from './openapi-metadata.ts';
import { COMMON_HEADERS, COMMON_PARAMETERS, COMMON_RESPONSES, COMMON_SCHEMAS } from './openapi-common.ts';
import { entityPaths } from './openapi-paths.ts';
import { COMMON_STREAM_PATHS, streamPaths } from './openapi-streams.ts';
import { BATCH_PATHS, COMMON_TAGS } from './openapi-writes.ts';
import type { Part, Paths } from './openapi-parts.ts';
import { entitySchemas } from './openapi-schemas.ts';
import type { HttpServices } from './ports.ts';
import { entityTag, matchesNone } from './request-headers.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';
import { knowsEntity } from './scopes.ts';

/** One document of up to a megabyte per combination of roles: a tenant's few stay, the rest is made again. */
const MAX_CACHED = 20;

interface Finished {
  readonly body: string;
  readonly tag: string;
}

/** By release (the model object, which is one tenant's), roles and flags. */
const finished = new WeakMap<Model, Map<string, Finished>>();

/** @param publicUrl base address of the installation, e.g. `https://crm.example` */
export function buildOpenApi(scope: Scope, publicUrl: string): Record<string, unknown> {
  const { model, tenant, rights } = scope;
  const entities = [...model.entities.values()].filter((entity) => knowsEntity(rights, entity));
  const paths: Paths = Object.fromEntries([
    ...entities.flatMap((entity) => Object.entries({ ...entityPaths(scope, entity), ...streamPaths(scope, entity) })),
    ...(entities.length > 0 ? Object.entries({ ...COMMON_STREAM_PATHS, ...BATCH_PATHS }) : []),
    ...Object.entries({
      ...INSTALLATION_PATHS,
      ...metricPaths(scope, SCREENS),
      ...(rights.administrator && METADATA_PATHS),
    }),
  ]);
  // Not every role has a use for all of them.
  const text = JSON.stringify(paths);
  const used = (kind: string, all: Readonly<Record<string, Part>>) =>
    Object.fromEntries(
      Object.entries(all).filter(([key]) => kind === 'headers' || text.includes(`"#/components/${kind}/${key}"`)),
    );
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://spec.openapis.org/oas/3.1/dialect/base',
    info: {
      title: `${tenant.name}: API`,
      version: String(model.release),
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
      summary: `Release ${model.release}, as seen with the roles ${scope.principal.roles.join(', ') || '(none)'}.`,
      description:
        'Decimals and money are strings. Lists answer pages with a cursor. Errors are RFC 9457 problems with a stable `code`. What you may not see is answered like what does not exist.',
    },
    servers: [{ url: publicUrl }],
    security: [{ bearer: [] }, { session: [] }],
    tags: [
      ...entities.map((entity) => ({ name: entity.name, description: entity.pluralLabel })),
      ...(entities.length > 0 ? COMMON_TAGS : []),
      ...INSTALLATION_TAGS,
      ...(rights.administrator ? [METADATA_TAG] : []),
    ],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token issued for a program.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'armature_session',
          description: 'The cookie of a signed-in browser; requests other than GET also need `X-Armature-Request: 1`.',
        },
      },
      parameters: used('parameters', COMMON_PARAMETERS),
      headers: used('headers', COMMON_HEADERS),
      responses: used('responses', COMMON_RESPONSES),
      schemas: {
        ...COMMON_SCHEMAS,
        ...metricSchemas(scope),
        ...(rights.administrator && METADATA_SCHEMAS),
        ...Object.fromEntries(entities.flatMap((entity) => Object.entries(entitySchemas(scope, entity)))),
      },
    },
  };
}

function finish(scope: Scope, publicUrl: string): Finished {
  let known = finished.get(scope.model);
  if (!known) {
    known = new Map();
    finished.set(scope.model, known);
  }
  const key = `${scope.principal.roles.join()} ${[...scope.rights.off].join()}`;
  const found = known.get(key);
  if (found) return found;
  const body = JSON.stringify(buildOpenApi(scope, publicUrl));
  const made = { body, tag: entityTag(scope.model.release, body) };
  if (known.size >= MAX_CACHED) known.clear();
  known.set(key, made);
  return made;
}

export function mountOpenApi(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  mount(app, '/api/openapi.json', {
    GET: async (exchange) => {
      const scope = await scopes.of(await authenticate(exchange, services.identity, publicOrigin));
      const { body, tag } = finish(scope, services.publicUrl);
      if (matchesNone(exchange.request, tag)) return sendEmpty(exchange, 304, ['ETag', tag]);
      sendText(exchange, 200, body, { cache: 'private, no-cache', headers: ['ETag', tag] });
    },
  });
}
