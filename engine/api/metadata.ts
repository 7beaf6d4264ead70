/** Shaping the model over HTTP: documents, plans, releases. For administrators of the organisation alone. */
import { readFile } from 'node:fs/promises';
import type { Express } from 'express';
import { invalidAt, notFound, Problem } from '../problem.ts';
import type { Scope } from '../records/scope.ts';
import type { OnFails } from '../schema/convert/conversions.ts';
import type { SourceInput } from '../schema/source.ts';
import { authenticate } from './authenticate.ts';
import { METADATA_LIMIT, objectOf, readJson } from './body.ts';
import type { Exchange } from './exchange.ts';
import { sendJson, sendText } from './exchange.ts';
import type { HttpServices } from './ports.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';

const SCHEMAS = new URL('../../metadata/schema/', import.meta.url);
const SCHEMA_FILE = /^([a-z]{1,40})(?:\.schema)?\.json$/;
const MESSAGE_LENGTH = 500;

type Body = Readonly<Record<string, unknown>>;

function releaseNumber(body: Body, key: string): number {
  const value = body[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalidAt(`/${key}`, 'This must be the number of a release.', 'type', { expected: 'integer' });
  }
  return value;
}

function message(body: Body): string {
  const value = body['message'];
  if (typeof value !== 'string' || value.trim() === '')
    throw invalidAt('/message', 'Say what this release is for.', 'required');
  if (value.length > MESSAGE_LENGTH)
    throw invalidAt('/message', `This may have ${MESSAGE_LENGTH} characters.`, 'too_long');
  return value;
}

/** `packs` and `documents`, each optional: what is left out stays as it is. */
function source(body: Body): SourceInput {
  const { packs, documents } = body;
  if (packs !== undefined && !(Array.isArray(packs) && packs.every((key) => typeof key === 'string'))) {
    throw invalidAt('/packs', 'This must be a list of pack keys.', 'type');
  }
  if (documents !== undefined && !Array.isArray(documents))
    throw invalidAt('/documents', 'This must be a list of documents.', 'type');
  const objects = documents?.map((document: unknown, at) => {
    if (typeof document !== 'object' || document === null || Array.isArray(document)) {
      throw invalidAt(`/documents/${at}`, 'A document is an object.', 'type');
    }
    return { ...document };
  });
  return { ...(packs && { packs }), ...(objects && { documents: objects }) };
}

function onlyKeys(body: Body, ...known: readonly string[]): void {
  const other = Object.keys(body).find((key) => !known.includes(key));
  if (other !== undefined)
    throw invalidAt(`/${other.replaceAll('~', '~0').replaceAll('/', '~1')}`, 'This is not known here.', 'unknown', {
      known,
    });
}

/** `onFail`: what becomes of values that a field's new type cannot take, by `entity.field`. */
function onFail(body: Body): { readonly onFail?: OnFails } {
  const written = body['onFail'];
  if (written === undefined) return {};
  if (typeof written !== 'object' || written === null || Array.isArray(written))
    throw invalidAt('/onFail', 'This must be an object: field to “null” or “refuse”.', 'type');
  const entries = Object.entries(written).map(([field, how]: [string, unknown]) => {
    if (how !== 'null' && how !== 'refuse')
      throw invalidAt(
        `/onFail/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        'This must be “null” or “refuse”.',
        'choice',
        {
          allowed: ['null', 'refuse'],
        },
      );
    return [field, how] as const;
  });
  return { onFail: Object.fromEntries(entries) };
}

async function read(exchange: Exchange): Promise<Body> {
  return objectOf(await readJson(exchange.request, METADATA_LIMIT));
}

/** The name a release is published under. */
function author({ principal }: Scope): string {
  return principal.email ?? principal.name;
}

export function mountMetadata(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  const { publisher } = services;
  const schemas = new Map<string, string>();

  async function administrator(exchange: Exchange): Promise<Scope> {
    const scope = await scopes.of(await authenticate(exchange, services.identity, publicOrigin));
    if (!scope.rights.administrator)
      throw new Problem('forbidden', 'Only an administrator of the organisation may do this.');
    return scope;
  }

  mount(app, '/api/metadata/documents', {
    GET: async (exchange) => {
      const { tenant } = await administrator(exchange);
      sendJson(exchange, 200, { data: await publisher.documents(tenant.key) });
    },
  });
  mount(app, '/api/metadata/plan', {
    POST: async (exchange) => {
      const { tenant } = await administrator(exchange);
      const body = await read(exchange);
      onlyKeys(body, 'packs', 'documents', 'base', 'message', 'onFail');
      const input = {
        ...source(body),
        ...onFail(body),
        ...(body['base'] !== undefined && { base: releaseNumber(body, 'base') }),
      };
      sendJson(exchange, 200, { data: await publisher.plan(tenant.key, input) });
    },
  });
  mount(app, '/api/metadata/publish', {
    POST: async (exchange) => {
      const scope = await administrator(exchange);
      const body = await read(exchange);
      onlyKeys(body, 'packs', 'documents', 'base', 'message', 'onFail');
      const input = {
        base: releaseNumber(body, 'base'),
        author: author(scope),
        message: message(body),
        ...source(body),
        ...onFail(body),
      };
      sendJson(exchange, 201, { data: await publisher.publish(scope.tenant.key, input) });
    },
  });
  mount(app, '/api/metadata/rollback', {
    POST: async (exchange) => {
      const scope = await administrator(exchange);
      const body = await read(exchange);
      onlyKeys(body, 'base', 'to', 'message', 'onFail');
      const input = {
        base: releaseNumber(body, 'base'),
        to: releaseNumber(body, 'to'),
        author: author(scope),
        message: message(body),
        ...onFail(body),
      };
      sendJson(exchange, 201, { data: await publisher.rollback(scope.tenant.key, input) });
    },
  });
  mount(app, '/api/metadata/releases', {
    GET: async (exchange) => {
      const { tenant } = await administrator(exchange);
      sendJson(exchange, 200, { data: await publisher.releases(tenant.key) });
    },
  });
  mount(app, '/api/metadata/releases/:number', {
    GET: async (exchange, { number = '' }) => {
      const { tenant } = await administrator(exchange);
      if (!/^[1-9]\d{0,8}$/.test(number)) throw notFound();
      sendJson(exchange, 200, { data: await publisher.release(tenant.key, Number(number)) });
    },
  });
  mount(app, '/api/metadata/schema/:file', {
    GET: async (exchange, { file = '' }) => {
      await administrator(exchange);
      const kind = SCHEMA_FILE.exec(file)?.[1];
      if (kind === undefined) throw notFound();
      let schema = schemas.get(kind);
      if (schema === undefined) {
        schema = await readFile(new URL(`${kind}.schema.json`, SCHEMAS), 'utf8').catch(() => {
          throw notFound();
        });
        schemas.set(kind, schema);
      }
      sendText(exchange, 200, schema, { type: 'application/schema+json; charset=utf-8', cache: 'private, no-cache' });
    },
  });
}
