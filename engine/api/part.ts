/** One request inside another: it goes the way of every request, and its answer is caught instead of sent. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { giveBody } from './body.ts';
import type { Exchange } from './exchange.ts';

export interface Part {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** `undefined`: none. */
  readonly body: unknown;
}

export interface PartAnswer {
  readonly id: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; `null` without a body. */
  readonly body: string | null;
}

/** Headers of a part's answer that say something of this part. */
const TOLD: ReadonlySet<string> = new Set([
  'allow',
  'etag',
  'idempotency-replayed',
  'link',
  'location',
  'preference-applied',
  'retry-after',
]);

/** Catches what is answered. It has no connection: nothing of it is ever sent. */
class CaughtResponse extends ServerResponse {
  readonly told: Record<string, string> = {};
  text: string | null = null;

  override writeHead(status: number, ...rest: readonly unknown[]): this {
    const headers = rest.find((argument): argument is readonly unknown[] => Array.isArray(argument)) ?? [];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = String(headers[at]).toLowerCase();
      if (TOLD.has(name)) this.told[name] = String(headers[at + 1]);
    }
    return super.writeHead(status);
  }

  override end(chunk?: unknown): this {
    if (typeof chunk === 'string' && chunk !== '') this.text = chunk;
    return this;
  }
}

/** @param around the request it came in; the part is asked by the same principal */
export async function askPart(
  part: Part,
  around: Exchange,
  answer: (exchange: Exchange) => Promise<void> | void,
): Promise<PartAnswer> {
  const request = new IncomingMessage(new Socket());
  const body = part.body === undefined ? null : Buffer.from(JSON.stringify(part.body));
  request.method = part.method;
  request.url = part.path;
  request.headers = {
    ...(body && { 'content-type': 'application/json' }),
    ...part.headers,
    ...(body && { 'content-length': String(body.length) }),
  };
  giveBody(request, body ?? Buffer.alloc(0));
  const response = new CaughtResponse(request);
  await answer({ ...around, request, response });
  const shown = part.method === 'HEAD' ? null : response.text;
  return { id: part.id, status: response.statusCode, headers: response.told, body: shown };
}
