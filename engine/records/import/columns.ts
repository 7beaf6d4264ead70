/** Which field a column probably means. */
import type { Entity, Field } from '#engine/model/model.ts';
import { textKey, translator } from '#engine/model/texts.ts';
import type { Scope } from '../scope.ts';
import { writableFields } from '../write/validate.ts';

/** Fields a column may become: those that may be given at creation, and those that may be changed where rows update records. */
export function importableFields(scope: Scope, entity: Entity): ReadonlyMap<string, Field> {
  const fields = new Map([...writableFields(scope, entity, 'create'), ...writableFields(scope, entity, 'update')]);
  for (const [key, field] of fields) if (field.column === null && field.many?.via !== 'links') fields.delete(key);
  return fields;
}

/** column → field key or null, by key and label (also in the language of whoever imports), each field once. */
export function proposeMapping(
  scope: Scope,
  entity: Entity,
  columns: readonly string[],
): Record<string, string | null> {
  const byName = new Map<string, string>();
  const fields = [...importableFields(scope, entity).values()];
  const translate = translator(scope.model, scope.principal.locale);
  for (const field of fields) byName.set(plain(translate(textKey.field(entity, field), field.label)), field.key);
  for (const field of fields) byName.set(plain(field.label), field.key);
  for (const field of fields) byName.set(plain(field.key), field.key);
  const taken = new Set<string>();
  const proposed = columns.map((column): [string, string | null] => {
    const key = byName.get(plain(column)) ?? null;
    if (key === null || taken.has(key)) return [column, null];
    taken.add(key);
    return [column, key];
  });
  return Object.fromEntries(proposed);
}

/** Letters and digits only: `E-Mail address` and `e_mail_address` are the same. */
function plain(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}
