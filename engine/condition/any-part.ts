/**
 * Which record a reference to one of several entities points at, asked so that indexes serve. What a reader is shown of
 * it depends on the record that it leads to, and no index holds that; the references behind it have theirs.
 */
import { waysOf } from '../model/any-ways.ts';
import type { Entity, Field } from '../model/model.ts';
import type { Condition, Operand } from './condition.ts';
import type { Side } from './resolve-right.ts';
import { all, any, not, test } from './simplify.ts';

/**
 * `regarding_id eq …` as: one of its references names that record, and the record is one to be seen. Those that are not
 * for this reader lead to nothing that is shown. Other tests stay as they are.
 */
export function byWays(condition: Condition, field: Field, entity: Entity, side: Side): Condition {
  if (condition.kind !== 'test' || condition.left.kind !== 'field' || field.type.valueType !== 'uuid') return condition;
  const { left, operator, right } = condition;
  const given = right.kind === 'literal' || right.kind === 'list' || right.kind === 'user';
  if (left.steps.length > 0 || !given || (operator !== 'eq' && operator !== 'in')) return condition;
  const ways = waysOf(field).map((way) => entity.fields.get(way.field));
  const named = ways.flatMap((way): Operand[] =>
    way && side.visible(entity, way) ? [{ ...left, field: way.key, fieldId: way.id, bare: true }] : [],
  );
  if (named.length === 0) return condition;
  return all([
    any(named.map((one) => test(one, operator, right))),
    not(test(left, 'null', { kind: 'literal', type: 'boolean', value: true })),
  ]);
}
