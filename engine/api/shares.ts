/** `…/{id}/shares`: who has access to a record, sharing it, and ending that. */
import type { RecordRequest } from './record-request.ts';
import { requireId } from './record-request.ts';
import { notAllowed } from './problem-response.ts';
import { notFound } from '../problem.ts';
import { sendText } from './exchange.ts';
import { BARE_COMMAND, FREE_COMMAND, write } from './writes.ts';

/** @param rest what stands after `shares` */
export async function sharesRoute(request: RecordRequest, id: string, rest: readonly string[]): Promise<void> {
  const { scope, entity, services, method } = request;
  const [share] = rest;
  if (share === undefined) {
    if (method === 'GET' || method === 'HEAD') {
      const { body } = await services.commands.access(scope, entity, id);
      return sendText(request.exchange, 200, body);
    }
    if (method !== 'POST') throw notAllowed('GET, HEAD, POST');
    return write(request, FREE_COMMAND, (input, options) => services.commands.share(scope, entity, id, input, options));
  }
  if (rest.length > 1) throw notFound();
  if (method !== 'DELETE') throw notAllowed('DELETE');
  return write(request, BARE_COMMAND, (_, options) =>
    services.commands.endShare(scope, entity, id, requireId(share), options),
  );
}
