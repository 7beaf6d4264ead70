/**
 * Files follow their records: what the trigger after a statement does with `armature.file`, as its owner. A file becomes
 * a record's when a field of it names one that the same person has uploaded and nothing else holds; it is let go when the
 * field names another, or the record is deleted for good.
 */
import { literal, quote } from '../db/identifiers.ts';
import { IMAGE_TYPES } from '../model/fields/files.ts';
import type { Entity, Field } from '../model/model.ts';
import type { Context } from './context.ts';
import { storedFields } from './context.ts';
import { referenceName } from './names.ts';

/** Why a file cannot be a field's, as the trigger's message. Of a file that is another's it says that there is none. */
export const NO_FILE = { kind: 'another kind of file', used: 'a record has it', unknown: 'no such file' } as const;

/** Lines of the trigger's body for one operation; empty for an entity without files. */
export function attachedFiles(context: Context, entity: Entity, operation: 'insert' | 'update' | 'delete'): string {
  return storedFields(entity)
    .filter(({ type }) => type.attached !== undefined)
    .map((field) => ofField(context, entity, field, operation))
    .join('');
}

function ofField({ tenant }: Context, entity: Entity, field: Field, operation: 'insert' | 'update' | 'delete'): string {
  const column = quote(field.key);
  const mine = `f.tenant_id = ${literal(tenant.id)}::uuid`;
  const both = operation === 'update';
  const rows = both ? 'new_rows n join old_rows o on o."id" = n."id"' : 'new_rows n';
  const changed = both ? `n.${column} is distinct from o.${column}` : 'true';
  const missing = `n.${column} is not null and ${changed} and not exists (select from armature.file f
        where ${mine} and f.id = n.${column} and f.record_id = n."id" and f.field_id = ${literal(field.id)})`;
  const types = field.type.attached === 'image' ? ` and f.type in (${IMAGE_TYPES.map(literal).join(', ')})` : '';
  const letGo = `    update armature.file f set entity_id = null, field_id = null, record_id = null, created_at = armature.now()
    from ${operation === 'delete' ? 'old_rows o' : rows}
    where ${mine} and f.id = o.${column} and f.record_id = o."id" and f.field_id = ${literal(field.id)}${both ? ` and ${changed}` : ''};
`;
  if (operation === 'delete') return letGo;
  return `${both ? letGo : ''}    update armature.file f set entity_id = ${literal(entity.id)}, field_id = ${literal(field.id)}, record_id = n."id"
    from ${rows} where ${mine} and f.id = n.${column} and f.record_id is null and f.created_by = armature.user_id()${types} and ${changed};
    if exists (select from ${rows} where ${missing}) then
      raise exception using errcode = '23503', constraint = ${literal(referenceName(field.id))}, message = coalesce((
        select case when u.record_id is null then ${literal(NO_FILE.kind)} else ${literal(NO_FILE.used)} end
        from ${rows} join armature.file u on u.tenant_id = ${literal(tenant.id)}::uuid and u.id = n.${column} and u.created_by = armature.user_id()
        where ${missing} limit 1), ${literal(NO_FILE.unknown)});
    end if;
`;
}
