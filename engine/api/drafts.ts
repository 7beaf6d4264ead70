/** Drafts over HTTP, `/api/metadata/drafts…`: kept, merged, rebased, planned and published. For administrators. */
import type { Express } from 'express';
import { isObject } from '../model/documents.ts';
import type { PlainDocument } from '../model/merge-documents.ts';
import { invalidAt, notFound } from '../problem.ts';
import { type DraftName, type DraftPublisher, Drafts } from '../schema/drafts.ts';
import type { Exchange } from './exchange.ts';
import { searchOf, sendEmpty, sendJson } from './exchange.ts';
import type { Administrator } from './metadata.ts';
import { author, documentsIn, message, onlyKeys, read, releaseNumber, resolutionsIn } from './metadata-body.ts';
import type { HttpServices } from './ports.ts';
import { ifMatchOne, versionTag } from './request-headers.ts';
import { mount } from './routes.ts';

const NAME = /^[a-z0-9][a-z0-9_-]{0,59}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Body = Readonly<Record<string, unknown>>;

function draftsIn(body: Body, own: string | null): readonly DraftName[] {
  const { from } = body;
  if (!Array.isArray(from) || from.length === 0 || from.length > 20)
    throw invalidAt('/from', 'This must be a list of up to 20 drafts: {"author": …, "name": …}.', 'type');
  return from.map((one: unknown, at) => {
    const { author: whose = own, name } = isObject(one) ? one : {};
    if (typeof whose !== 'string' || typeof name !== 'string')
      throw invalidAt(`/from/${at}`, 'A draft is named by its author and its name.', 'type');
    return { author: whose.toLowerCase(), name };
  });
}

function nameIn(name: string | undefined): string {
  if (name === undefined || !NAME.test(name))
    throw invalidAt('/name', 'A draft’s name has lower-case letters, digits, - and _, at most 60.', 'format');
  return name;
}

export function mountDrafts(
  app: Express,
  services: HttpServices & { readonly publisher: DraftPublisher },
  administrator: Administrator,
): void {
  const drafts = new Drafts(services);
  const answer = (
    exchange: Exchange,
    status: number,
    given: { readonly version: number; readonly created?: boolean },
  ) => {
    const { created, ...draft } = given;
    const code = created === true ? 201 : status;
    sendJson(exchange, code, { data: draft }, { headers: ['ETag', versionTag(draft.version)] });
  };

  mount(app, '/api/metadata/drafts', {
    GET: async (exchange) => {
      const { principal } = await administrator(exchange);
      sendJson(exchange, 200, { data: await drafts.list(principal) });
    },
  });
  mount(app, '/api/metadata/drafts/:name', {
    GET: async (exchange, { name = '' }) => {
      const { principal } = await administrator(exchange);
      const whose = new URLSearchParams(searchOf(exchange.request.url ?? '')).get('author') ?? principal.userId ?? '';
      if (!UUID.test(whose.toLowerCase()) && !whose.includes('@')) throw notFound();
      answer(exchange, 200, await drafts.get(principal, { author: whose.toLowerCase(), name }));
    },
    PUT: async (exchange, { name }) => {
      const { principal } = await administrator(exchange);
      const version = ifMatchOne(exchange.request);
      const body = await read(exchange);
      onlyKeys(body, 'base', 'documents', 'message');
      const documents: readonly PlainDocument[] | undefined = documentsIn(body);
      if (!documents) throw invalidAt('/documents', 'This must be a list of documents.', 'required');
      const input = {
        base: releaseNumber(body, 'base'),
        documents,
        ...(body['message'] !== undefined && { message: message(body) }),
      };
      answer(exchange, 200, await drafts.put(principal, nameIn(name), input, version));
    },
    DELETE: async (exchange, { name = '' }) => {
      const { principal } = await administrator(exchange);
      await drafts.remove(principal, name);
      sendEmpty(exchange, 204);
    },
  });
  mount(app, '/api/metadata/drafts/:name/:action', {
    POST: async (exchange, { name = '', action = '' }) => {
      const scope = await administrator(exchange);
      const { principal } = scope;
      const body = await read(exchange);
      const resolutions = resolutionsIn(body);
      switch (action) {
        case 'rebase':
          onlyKeys(body, 'resolutions');
          return answer(exchange, 200, await drafts.rebase(principal, name, resolutions));
        case 'merge':
          onlyKeys(body, 'resolutions', 'from');
          return answer(
            exchange,
            200,
            await drafts.merge(principal, name, draftsIn(body, principal.userId), resolutions),
          );
        case 'plan':
          onlyKeys(body, 'resolutions');
          return sendJson(exchange, 200, { data: await drafts.plan(principal, name, resolutions) });
        case 'publish': {
          onlyKeys(body, 'resolutions', 'message');
          const words = body['message'] === undefined ? null : message(body);
          const release = await drafts.publish(principal, name, { author: author(scope), message: words, resolutions });
          return sendJson(exchange, 201, { data: release });
        }
        default:
          throw notFound();
      }
    },
  });
}
