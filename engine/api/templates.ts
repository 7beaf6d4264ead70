/** `POST /api/{pack}/v1/{plural}/{id}/templates/{key}`: a template filled in with the record, as the caller may read it. */
import { invalidAt, notFound } from '../problem.ts';
import { findTemplate, renderTemplate } from '../records/templates.ts';
import { Flags } from '../settings/flags.ts';
import { hasBody, objectOf, readJson, RECORD_LIMIT } from './body.ts';
import { sendJson } from './exchange.ts';
import type { RecordRequest } from './record-request.ts';

const LOCALE = /^[a-z]{2,3}(-[A-Z]{2})?$/;

export async function templateRoute(
  { exchange, services, scope, entity }: RecordRequest,
  id: string,
  key: string,
): Promise<void> {
  const body = hasBody(exchange.request) ? objectOf(await readJson(exchange.request, RECORD_LIMIT)) : {};
  const { locale, ...more } = body;
  const [other] = Object.keys(more);
  if (other !== undefined) throw invalidAt(`/${other}`, 'This is not known here.', 'unknown', { known: ['locale'] });
  if (locale !== undefined && (typeof locale !== 'string' || !LOCALE.test(locale)))
    throw invalidAt('/locale', 'This must be a language such as de or pt-BR.', 'format');
  const template = findTemplate(scope, entity, key);
  if (!template) throw notFound();
  if (template.flag !== null && !(await new Flags(services).on(scope)).has(template.flag)) throw notFound();
  const wishes = [...(typeof locale === 'string' ? [locale] : []), scope.principal.locale];
  sendJson(exchange, 200, { data: await renderTemplate(services.reader, scope, entity, id, template, wishes) });
}
