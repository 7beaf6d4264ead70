/** `…/$duplicates`: records like a draft (POST), and groups of records that are like each other (GET). */
import { readJson, RECORD_LIMIT } from './body.ts';
import { sendText } from './exchange.ts';
import { notAllowed } from './problem-response.ts';
import type { RecordRequest } from './record-request.ts';

export async function duplicatesRoute({ exchange, scope, entity, method, services }: RecordRequest): Promise<void> {
  if (method === 'POST') {
    const draft = await readJson(exchange.request, RECORD_LIMIT);
    const { body } = await services.commands.duplicates(scope, entity, draft);
    return sendText(exchange, 200, body);
  }
  if (method !== 'GET' && method !== 'HEAD') throw notAllowed('GET, HEAD, POST');
  const { body } = await services.commands.duplicateGroups(scope, entity);
  sendText(exchange, 200, body);
}
