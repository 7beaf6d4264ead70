/** `…/{id}/shares`: who has access to a record, sharing it, and ending that. */
import { sendText } from './exchange.ts';
import type { RecordRequest } from './record-request.ts';
import { BARE_COMMAND, FREE_COMMAND, write } from './writes.ts';

export async function listAccess({ exchange, scope, entity, services }: RecordRequest, id: string): Promise<void> {
  const { body } = await services.commands.access(scope, entity, id);
  sendText(exchange, 200, body);
}

export function share(request: RecordRequest, id: string): Promise<void> {
  const { scope, entity, services } = request;
  return write(request, FREE_COMMAND, (input, options) => services.commands.share(scope, entity, id, input, options));
}

export function endShare(request: RecordRequest, id: string, given: string): Promise<void> {
  const { scope, entity, services } = request;
  return write(request, BARE_COMMAND, (_, options) => services.commands.endShare(scope, entity, id, given, options));
}
