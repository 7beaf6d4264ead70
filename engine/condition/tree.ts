/** Which tree `under` asks about: an entity whose records name the one above them. */
import type { Entity, Field } from '../model/model.ts';
import type { Tree } from './condition.ts';

/**
 * @param field the field that stands on the left: the reference upwards itself, a reference to a record of a tree, or
 *   the record's own `id`
 * @param entity whose field it is
 * @param visible fields it refuses do not exist
 * @returns `undefined` where there is no tree
 */
export function treeOf(
  field: Field,
  entity: Entity,
  lookup: (name: string) => Entity | undefined,
  visible: (entity: Entity, field: Field) => boolean = () => true,
): Tree | undefined {
  const target = field.reference === null ? entity : lookup(field.reference.entity);
  if (target === undefined || (field.reference === null && field.key !== 'id')) return undefined;
  const upwards = [...target.fields.values()].filter(
    (each) => !each.system && each.column !== null && each.reference?.entity === target.name && visible(target, each),
  );
  const above =
    upwards.find((each) => each.id === field.id) ?? upwards.find((each) => each.key === 'parent') ?? upwards[0];
  if (above === undefined) return undefined;
  const id = target.fields.get('id');
  return Object.freeze({
    entity: target.name,
    table: target.table,
    id: id?.id ?? '',
    parent: above.key,
    parentId: above.id,
  });
}
