/** `…/$duplicates`: records like a draft (POST), and groups of records that are like each other (GET). */
import { objectOf, readJson, RECORD_LIMIT } from './body.ts';
import { sendText } from './exchange.ts';
import type { RecordRequest } from './record-request.ts';

export async function duplicatesOf({ exchange, scope, entity, services }: RecordRequest): Promise<void> {
  const draft = objectOf(await readJson(exchange.request, RECORD_LIMIT));
  const { body } = await services.commands.duplicates(scope, entity, draft);
  sendText(exchange, 200, body);
}

export async function duplicateGroups({ exchange, scope, entity, services }: RecordRequest): Promise<void> {
  const { body } = await services.commands.duplicateGroups(scope, entity);
  sendText(exchange, 200, body);
}
