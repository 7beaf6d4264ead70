/**
 * `POST /api/$batch`: up to 100 requests to records in one, in their order. Each goes through the dispatcher of all record
 * requests. `atomic` (unless said otherwise): they are one transaction, in which later ones see what earlier ones did;
 * the first that fails undoes all. Else each is a transaction of its own and is answered by itself.
 */
import { createHash } from 'node:crypto';
import { problemOf } from '../db/database-error.ts';
import { Problem } from '../problem.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate } from './authenticate.ts';
import type { BatchBody } from './batch-body.ts';
import { parseBatch, requirePath } from './batch-body.ts';
import { referredTo, resolveReferences } from './batch-references.ts';
import { parseJson, readBody, RECORD_LIMIT, requireType } from './body.ts';
import type { Exchange } from './exchange.ts';
import { logExchange, sendText } from './exchange.ts';
import { onCurrentRelease } from './overtaken.ts';
import type { Part, PartAnswer } from './part.ts';
import { askPart } from './part.ts';
import { inTurn } from './large-writes.ts';
import type { HttpServices } from './ports.ts';
import { notAllowed, sendProblem } from './problem-response.ts';
import { answerRecord } from './records.ts';
import type { Idempotency } from './request-headers.ts';
import { idempotencyOf, preferencesOf, requireJsonAccepted } from './request-headers.ts';
import type { Scopes } from './scopes.ts';

export const BATCH_PATH = '/api/$batch';

export function isBatchPath(url: string): boolean {
  return /^\/api\/(?:\$|%24)batch(?:\?|$)/.test(url);
}

/** Answers every request it is given, and logs it; it never throws. */
export function batchDispatcher(
  services: HttpServices,
  scopes: Scopes,
  publicOrigin: string,
): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    try {
      const resolve = async () => scopes.of(await authenticate(exchange, services.identity, publicOrigin));
      await onCurrentRelease(services.models, resolve, async (scope) => {
        const { request } = exchange;
        if (request.method !== 'POST') throw notAllowed('POST');
        requireJsonAccepted(request);
        const { dryRun } = preferencesOf(request);
        requireType(request);
        const bytes = await readBody(request, RECORD_LIMIT);
        const idempotency = idempotencyOf(request, request.url ?? '', bytes);
        await inTurn(request, bytes, async () => {
          const batch = parseBatch(parseJson(bytes));
          const run = batch.atomic ? together : oneByOne;
          const { answers, replayed } = await run({ exchange, services, scope, scopes, batch, idempotency, dryRun });
          sendText(exchange, 200, `{"data":[${answers.map(textOf).join(',')}]}`, {
            headers: [
              ...(replayed ? ['Idempotency-Replayed', 'true'] : []),
              ...(dryRun ? ['Preference-Applied', 'tx=rollback'] : []),
            ],
          });
        });
      });
    } catch (error) {
      sendProblem(exchange, error);
    } finally {
      logExchange(exchange);
    }
  };
}

interface Run {
  readonly exchange: Exchange;
  readonly services: HttpServices;
  readonly scope: Scope;
  readonly scopes: Scopes;
  readonly batch: BatchBody;
  readonly idempotency: Idempotency | null;
  readonly dryRun: boolean;
}

interface Done {
  readonly answers: readonly PartAnswer[];
  readonly replayed: boolean;
}

function textOf({ id, status, headers, body }: PartAnswer): string {
  return `{"id":${JSON.stringify(id)},"status":${status},"headers":${JSON.stringify(headers)},"body":${body ?? 'null'}}`;
}

/** As one transaction. */
async function together({ exchange, services, scope, batch, idempotency, dryRun }: Run): Promise<Done> {
  let answers: readonly PartAnswer[] = [];
  const options = { ...(idempotency && { idempotency }), ...(dryRun && { dryRun }) };
  const { text, replayed, sameRights } = await services.writer.together(scope, options, async (writer, inside) => {
    const within: HttpServices = {
      ...services,
      writer,
      reader: services.reader.within(inside),
      commands: services.commands.within(writer, inside),
    };
    const known = new Map<string, PartAnswer>();
    const parts: Part[] = [];
    for (const [index, part] of batch.parts.entries()) {
      const pointer = `/requests/${index}`;
      try {
        const whole = resolveReferences(part, known, pointer);
        requirePath(whole, pointer);
        parts.push(whole);
        known.set(part.id, await askPart(whole, exchange, (asked) => answerRecord(asked, within, scope)));
      } catch (error) {
        throw failed(error, part, pointer);
      }
    }
    answers = [...known.values()];
    return JSON.stringify(answers.map((answer, index) => kept(answer, parts[index])));
  });
  if (!replayed) return { answers, replayed };
  const again = await Promise.all(storedIn(text).map((stored) => shown(stored, sameRights, exchange, services, scope)));
  return { answers: again, replayed };
}

/** Each as its own; with an Idempotency-Key each gets one of its own from it, so that all are done once. */
async function oneByOne({ exchange, services, scope, scopes, batch, idempotency, dryRun }: Run): Promise<Done> {
  const known = new Map<string, PartAnswer>();
  for (const [index, part] of batch.parts.entries()) {
    const answer = await askPart(part, exchange, async (asked) => {
      try {
        const broken = [...referredTo(part)].find((id) => (known.get(id)?.status ?? 500) >= 400);
        if (broken !== undefined) {
          throw new Problem('failed_dependency', `The request “${broken}”, which this one builds on, has failed.`, [
            { code: 'failed_dependency', message: `“${broken}” has failed.`, pointer: '', params: { request: broken } },
          ]);
        }
        const whole = alone(resolveReferences(part, known, `/requests/${index}`), idempotency, dryRun);
        requirePath(whole, `/requests/${index}`);
        const inner = await askPart(whole, asked, (each) =>
          onCurrentRelease(
            services.models,
            () => scopes.of(scope.principal),
            (current) => answerRecord(each, services, current),
            () => !each.response.headersSent,
          ),
        );
        pass(inner, asked);
      } catch (error) {
        sendProblem(asked, error);
      }
    });
    known.set(part.id, answer);
  }
  return { answers: [...known.values()], replayed: false };
}

/** Hands an answer on to another response. */
function pass({ status, headers, body }: PartAnswer, { response }: Exchange): void {
  response.writeHead(status, Object.entries(headers).flat());
  response.end(body ?? '');
}

function alone(part: Part, idempotency: Idempotency | null, dryRun: boolean): Part {
  const headers: Record<string, string> = { ...part.headers };
  if (dryRun) headers['prefer'] = [headers['prefer'], 'tx=rollback'].filter((one) => one !== undefined).join(', ');
  if (idempotency && headers['idempotency-key'] === undefined && part.method !== 'GET' && part.method !== 'HEAD') {
    headers['idempotency-key'] = createHash('sha256').update(`${idempotency.key} ${part.id}`).digest('base64url');
  }
  return { ...part, headers };
}

/** The refusal of the whole: that of its part, with the way to it. */
function failed(error: unknown, part: Part, pointer: string): Problem {
  const problem = problemOf(error);
  const params = { request: part.id };
  const details = problem.errors.map((detail) => ({
    ...detail,
    ...(detail.pointer !== undefined && {
      pointer: detail.pointer.startsWith(pointer) ? detail.pointer : `${pointer}/body${detail.pointer}`,
    }),
    params: { ...detail.params, ...params },
  }));
  const own = { code: problem.code, message: problem.message, pointer, params };
  return new Problem(
    problem.code,
    `Request “${part.id}”: ${problem.message} Nothing of the batch was done.`,
    details.length > 0 ? details : [own],
    { cause: problem.cause ?? problem },
  );
}

/** What is kept of an answer under the Idempotency-Key: not what a record looked like, but where it is read again. */
interface Stored extends PartAnswer {
  /** Where what it showed can be read; `null`: it showed ids alone. */
  readonly read: Pick<Part, 'method' | 'path' | 'body'> | null;
}

function kept(answer: PartAnswer, part: Part | undefined): Stored {
  if (!part || answer.body === null) return { ...answer, read: null };
  const { method, path } = part;
  const query = path.indexOf('?');
  const address = query < 0 ? path : path.slice(0, query);
  if (method === 'GET' || method === 'QUERY' || /\/(?:\$|%24)query$/.test(address))
    return { ...answer, body: null, read: { method, path, body: part.body } };
  const id = recordIn(answer.body);
  if (id === null) return { ...answer, read: null };
  const [, collection = ''] = /^(\/api\/[^/]+\/v1\/[^/]+)/.exec(address) ?? [];
  const [own] = /^\/api\/[^/]+\/v1\/[^/]+\/(?:[0-9a-f-]{36}|by\/[^/]+\/[^/]+)(?=\/|$)/i.exec(address) ?? [];
  const select = new URLSearchParams(query < 0 ? '' : path.slice(query + 1)).get('$select');
  const search = select === null ? '' : `?$select=${encodeURIComponent(select)}`;
  const place = id === '' ? (own ?? answer.headers['location']) : `${collection}/${id}`;
  if (place === undefined) return { ...answer, body: '{"data":null}', read: null };
  return { ...answer, body: null, read: { method: 'GET', path: `${place}${search}`, body: undefined } };
}

/** The id of the record a body shows; `''` when it shows one without its id, `null` when it shows none. */
function recordIn(body: string): string | null {
  const json: unknown = JSON.parse(body);
  const data = typeof json === 'object' && json !== null && 'data' in json ? json.data : null;
  if (typeof data !== 'object' || data === null || Array.isArray(data) || 'affected' in data) return null;
  return 'id' in data && typeof data.id === 'string' ? data.id : '';
}

function storedIn(text: string): readonly Stored[] {
  const list: readonly Stored[] = JSON.parse(text);
  return list;
}

/** A stored answer with what the principal may see of it now. */
async function shown(
  { read, ...answer }: Stored,
  sameRights: boolean,
  exchange: Exchange,
  services: HttpServices,
  scope: Scope,
): Promise<PartAnswer> {
  if (read === null) return answer;
  const part: Part = { id: answer.id, headers: {}, ...read };
  const now = await askPart(part, exchange, async (asked) => {
    try {
      await answerRecord(asked, services, scope);
    } catch (error) {
      sendProblem(asked, error);
    }
  });
  const { etag: _, ...headers } = answer.headers;
  if (now.status >= 400) return { ...answer, headers, body: '{"data":null}' };
  return {
    ...answer,
    headers: sameRights && answer.headers['etag'] === now.headers['etag'] ? answer.headers : headers,
    body: now.body,
  };
}
