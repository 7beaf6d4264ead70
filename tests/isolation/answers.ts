/** What an answer says, as one text to compare: status, headers, body. */
import type { Answer, Client } from '../support/http.ts';
import type { Case } from './script.ts';

/** Of the transport and the moment, not of the answer. */
const UNCOMPARED: ReadonlySet<string> = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);

/** A token of the change feed: sealed with a nonce, which is another one each time. */
const SEALED = /(?<="next":")A[\w-]{80,}(?=","hasMore")/g;

/** Every request says its own id, so that it is the same in both worlds. */
export async function ask(client: Client, request: Case, number: number): Promise<Answer> {
  const headers = { 'x-request-id': `case-${String(number).padStart(8, '0')}`, ...request.headers };
  if (request.body instanceof FormData) return client.send(request.method, request.path, request.body, headers);
  if (request.body === undefined) return client.send(request.method, request.path, null, headers);
  const type = { 'content-type': 'application/json' };
  return client.send(request.method, request.path, JSON.stringify(request.body), { ...type, ...headers });
}

export function textOf(answer: Answer): string {
  const headers = [...answer.headers].filter(([name]) => !UNCOMPARED.has(name)).map((pair) => pair.join(': '));
  return [
    answer.status,
    ...headers.sort(),
    '',
    answer.text.replaceAll(SEALED, (token) => `token of ${token.length}`),
  ].join('\n');
}
