/** Shaping the model over HTTP: documents, plans, releases. For administrators of the organisation alone. */
import { readFile } from 'node:fs/promises';
import type { Express } from 'express';
import { notFound, Problem } from '../problem.ts';
import type { Scope } from '../records/scope.ts';
import { exportFiles } from '../schema/export-files.ts';
import { authenticate } from './authenticate.ts';
import { mountDrafts } from './drafts.ts';
import type { Exchange } from './exchange.ts';
import { searchOf, sendJson, sendText } from './exchange.ts';
import { author, message, onFailIn, onlyKeys, read, releaseNumber, source } from './metadata-body.ts';
import type { HttpServices } from './ports.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';

const SCHEMAS = new URL('../../metadata/schema/', import.meta.url);
const SCHEMA_FILE = /^([a-z]{1,40})(?:\.schema)?\.json$/;

function unknownParameter(parameter: string): Problem {
  const message = `“${parameter.slice(0, 60)}” is not known here; “from” and “to” are.`;
  return new Problem('unknown_parameter', message, [{ code: 'unknown_parameter', message, parameter }]);
}

function releaseIn(search: URLSearchParams, parameter: string): number | undefined {
  const text = search.get(parameter);
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const message = 'This must be the number of a release.';
  throw new Problem('invalid_parameter', message, [{ code: 'invalid_parameter', message, parameter }]);
}

/** Whoever asks, when they are an administrator. @throws Problem `forbidden` */
export type Administrator = (exchange: Exchange) => Promise<Scope>;

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
      onlyKeys(body, 'packs', 'documents', 'base', 'message', 'upgrade', 'resolutions', 'onFail');
      const input = { ...source(body), ...(body['base'] !== undefined && { base: releaseNumber(body, 'base') }) };
      sendJson(exchange, 200, { data: await publisher.plan(tenant.key, input) });
    },
  });
  mount(app, '/api/metadata/publish', {
    POST: async (exchange) => {
      const scope = await administrator(exchange);
      const body = await read(exchange);
      onlyKeys(body, 'packs', 'documents', 'base', 'message', 'upgrade', 'resolutions', 'onFail');
      const input = {
        base: releaseNumber(body, 'base'),
        author: author(scope),
        message: message(body),
        ...source(body),
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
        onFail: onFailIn(body),
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
  mount(app, '/api/metadata/export', {
    GET: async (exchange) => {
      const { tenant } = await administrator(exchange);
      const { release, versions, documents } = await publisher.documents(tenant.key, { identities: true });
      const files = exportFiles({ packs: versions, documents });
      sendJson(exchange, 200, { data: { release, files: Object.fromEntries(files) } });
    },
  });
  mount(app, '/api/metadata/diff', {
    GET: async (exchange) => {
      const { tenant } = await administrator(exchange);
      const search = new URLSearchParams(searchOf(exchange.request.url ?? ''));
      const other = [...search.keys()].find((key) => key !== 'from' && key !== 'to');
      if (other !== undefined) throw unknownParameter(other);
      const to = releaseIn(search, 'to') ?? (await publisher.documents(tenant.key)).release;
      const from = releaseIn(search, 'from') ?? Math.max(to - 1, 0);
      const [one, two] = [from, to].map((release) => ({ tenant: tenant.key, release }));
      if (one && two) sendJson(exchange, 200, { data: await publisher.diff(one, two) });
    },
  });
  mountDrafts(app, services, administrator);
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
