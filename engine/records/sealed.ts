/**
 * Encrypted fields on their way in and out. In: a value is sealed for its record. Out: Postgres puts a token with field
 * and record around what is stored, and the finished JSON text has its tokens replaced by what they hold. Which records
 * and fields a person sees was decided in SQL; a token is there only for who may read the field.
 */
import { literal } from '../db/identifiers.ts';
import { masked } from '../model/fields/types/encrypted.ts';
import type { Field, Model } from '../model/model.ts';
import { seal, unseal } from '../vault.ts';
import type { Scope } from './scope.ts';

/** Begins a token. No field takes a control character, so no value of anybody's can look like one. */
const MARK = '\u0001';
const MARK_IN_JSON = '\\u0001';
const TOKEN = /"\\u0001(f_[0-9a-f]{12}):([0-9a-f-]{36}):(v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+)"/g;

/** What is stored of an encrypted value. */
export function sealedValue(scope: Scope, field: Field, record: string, text: string): string {
  return seal(text, { tenant: scope.tenant.id, field: field.id, record: record.toLowerCase() });
}

/** SQL of a token: `alias` is the record's, quoted. */
export function tokenSql(alias: string, column: string, field: Field): string {
  return `${literal(`${MARK}${field.id}:`)} || ${alias}."id"::text || ':' || ${column}`;
}

const sealedFields = new WeakMap<Model, ReadonlyMap<string, Field>>();

/** By id. Empty for most models, and then texts are not even looked at. */
function sealedFieldsOf(model: Model): ReadonlyMap<string, Field> {
  const known = sealedFields.get(model);
  if (known) return known;
  const all = [...model.entities.values()].flatMap((entity) => [...entity.fields.values()]);
  const found = new Map(all.filter(({ type }) => type.sealed).map((field) => [field.id, field]));
  sealedFields.set(model, found);
  return found;
}

/** Whether texts of this model may hold tokens. */
export function hasSealed(model: Model): boolean {
  return sealedFieldsOf(model).size > 0;
}

/** The JSON text with every token opened; `null` stands for what cannot be opened (restored under another secret). */
export function opened(scope: Pick<Scope, 'model' | 'tenant'>, body: string): string {
  const fields = sealedFieldsOf(scope.model);
  if (fields.size === 0 || !body.includes(MARK_IN_JSON)) return body;
  return body.replaceAll(TOKEN, (_, id: string, record: string, sealed: string) => {
    const field = fields.get(id);
    const text = field ? unseal(sealed, { tenant: scope.tenant.id, field: id, record }) : null;
    if (text === null) return 'null';
    return JSON.stringify(field?.options['mask'] === true ? masked(text) : text);
  });
}
