/** Lists of other records: links, and the other sides of links and references, which are fields of the other entity. */
import { createHash } from 'node:crypto';
import { fit } from '../../db/identifiers.ts';
import type { Place } from '../faults.ts';
import { fieldTypes } from '../fields/index.ts';
import type { Many } from '../relations.ts';
import { isReservedField } from '../naming.ts';
import { type Draft, type DraftEntity, type DraftField, entityNamed } from './draft.ts';
import { bareField } from './fields.ts';

/** Table of the links of a field. */
const linkTable = (entity: DraftEntity, field: DraftField): string => fit(`l_${entity.table}_${field.key}`);

/** Links of the entity's fields, and the other sides of its links and references. */
export function tieLists(draft: Draft, entity: DraftEntity): void {
  const notes = draft.notes.get(entity.name);
  for (const field of entity.fields.values()) {
    const written = notes?.written.get(field.key);
    if (!notes || !written) continue;
    const at = (...path: readonly (string | number)[]) => notes.effective.place('fields', written.index, ...path);
    const { to } = field.options;
    if (field.type.key === 'links' && typeof to === 'string') {
      const target = entityNamed(draft, to, entity.pack, at('to'));
      if (!target) continue;
      if (target.parent !== null || draft.notes.get(target.name)?.effective.document.parent !== undefined)
        draft.faults.add(at('to'), 'invalid', `${target.name} is a part of other records: nothing links to it.`, {
          found: target.name,
        });
      const table = linkTable(entity, field);
      const many: Many = { via: 'links', entity: target.name, table, near: 'near', far: 'far', of: field.id };
      field.many = many;
      addOtherSide(draft, entity, field, target, { ...many, entity: entity.name, near: 'far', far: 'near' }, at);
    } else if (field.reference) {
      const target = draft.entities.get(field.reference.entity);
      if (target)
        addOtherSide(draft, entity, field, target, { via: 'inverse', entity: entity.name, field: field.key }, at);
    }
  }
}

/** The field of the other entity that shows the list, where one is asked for (`inverse`). */
export function addOtherSide(
  draft: Draft,
  entity: DraftEntity,
  field: DraftField,
  target: DraftEntity,
  many: Many,
  at: (...path: readonly (string | number)[]) => Place,
): void {
  const { inverse: key, inverseLabel } = field.options;
  if (typeof key !== 'string') return;
  if (isReservedField(key)) {
    draft.faults.add(at('inverse'), 'reserved', `A field cannot be called “${key}”: the engine uses this name itself.`);
    return;
  }
  if (target.fields.has(key)) {
    draft.faults.add(at('inverse'), 'duplicate', `${target.name} has a field “${key}” already.`, { found: key });
    return;
  }
  const type = fieldTypes.get(many.via === 'links' ? 'links' : 'inverse');
  if (!type) throw new TypeError(`no field type for a list by ${many.via}`);
  target.fields.set(key, {
    ...bareField(type, key, typeof inverseLabel === 'string' ? inverseLabel : entity.pluralLabel),
    // It is what it is because of the field it is the other side of, and lives as long.
    id: `f_${createHash('sha256').update(`inverse ${field.id}`).digest('hex').slice(0, 12)}`,
    many,
  });
}
