/** From a field that holds many records to the records, as the reader may see them. */
import type { Condition, Many } from './condition.ts';
import type { RawCondition } from './raw.ts';
import { resolvePath } from './resolve-path.ts';
import type { Side } from './resolve-right.ts';
import { FALSE } from './condition.ts';
import { nearest } from '../nearest.ts';
import { hint, nameOf } from './faults.ts';
import { not } from './simplify.ts';
import type { Entity } from '../model/model.ts';

/** How deep records inside records are asked about: each level is a look-up per record of the one around it. */
const MAX_LEVELS = 3;

type Resolve = (raw: RawCondition, side: Side) => Condition;

export function resolveMany(raw: Extract<RawCondition, { kind: 'many' }>, side: Side, resolve: Resolve): Condition {
  const found = findMany(raw.path, raw.at, side);
  if (found === undefined) return FALSE;
  const { many, entity } = found;
  const of = resolve(raw.of, inside(side, entity));
  const some = (condition: Condition): Condition => Object.freeze({ kind: 'some', many, of: condition });
  if (raw.quantifier === 'some') return some(of);
  return not(some(raw.quantifier === 'none' ? of : not(of)));
}

const inside = (side: Side, entity: Entity): Side => {
  const { controls: _, ...rest } = side;
  return { ...rest, entity, level: (side.level ?? 0) + 1 };
};

/** @returns `undefined` after a fault was added */
export function findMany(
  path: readonly string[],
  at: string,
  side: Side,
): { readonly many: Many; readonly entity: Entity } | undefined {
  const key = path.at(-1) ?? '';
  const { faults } = side;
  if ((side.level ?? 0) >= MAX_LEVELS) {
    faults.add(at, 'too_deep', `Records inside records can be asked about ${MAX_LEVELS} levels deep.`, {
      max: MAX_LEVELS,
    });
    return undefined;
  }
  const anchor = resolvePath([...path.slice(0, -1), 'id'], at, side);
  const last = anchor?.operand.steps.at(-1);
  const holder = last === undefined ? side.entity : side.lookup(last.entity);
  if (anchor === undefined || holder === undefined) return undefined;
  const field = holder.fields.get(key);
  const holds = field?.many;
  const target = holds ? side.lookup(holds.entity) : undefined;
  if (field && holds && target && side.visible(holder, field)) {
    const many: Many = {
      anchor: anchor.operand,
      field: field.key,
      fieldId: field.id,
      entity: target.name,
      table: target.table,
      by: holds.via === 'links' ? null : holds.field,
      link: holds.via === 'links' ? { table: holds.table, near: holds.near, far: holds.far } : null,
    };
    return { many: Object.freeze(many), entity: target };
  }
  const known = [...holder.fields.values()].filter((each) => side.visible(holder, each));
  if (field && known.includes(field)) {
    faults.add(at, 'invalid', `"${key}" does not hold many records: it has no some, none, every or count.`, {
      expected: 'a field with many records',
      found: field.type.key,
    });
    return undefined;
  }
  const suggestion = nearest(
    key,
    known.map((each) => each.key),
  );
  faults.add(
    at,
    'unknown_field',
    `${JSON.stringify(key.slice(0, 40))} is not a field of ${nameOf(holder, known)}.${hint(suggestion)}`,
    {
      expected: 'a field',
      found: key.slice(0, 40),
      ...(suggestion === undefined ? {} : { nearest: suggestion }),
    },
  );
  return undefined;
}
