/**
 * Rollups over the parts of a record are columns of the record, kept by the trigger of the parts: in the transaction
 * that writes a part, the wholes it belongs (or belonged) to are locked in the order of their ids and computed anew. The
 * lock comes first and the aggregate is a statement of its own, so it sees what others committed while it waited.
 */
import { quote } from '../db/identifiers.ts';
import type { Entity, Field } from '../model/model.ts';
import type { Rollup } from '../model/relations.ts';
import type { Context } from './context.ts';
import { policySql, storedFields, tableOf } from './context.ts';
import { tableName } from './ddl.ts';
import { aggregateSql } from './rollup-sql.ts';
import type { ColumnState, DesiredState, TableState } from './state.ts';

interface Kept {
  readonly field: Field;
  readonly rollup: Rollup;
}

/** Fields of the entity that are kept over parts of it. */
export function keptRollups(entity: Entity): readonly Kept[] {
  return storedFields(entity).flatMap((field) => (field.rollup === null ? [] : [{ field, rollup: field.rollup }]));
}

/** Statements of the after trigger of parts; `''` when nothing is kept over them. */
export function refreshWholes(
  context: Context,
  part: Entity,
  transitions: readonly ('new_rows' | 'old_rows')[],
): string {
  const { parent } = part;
  const whole = parent && context.model.entities.get(parent.entity);
  if (!parent || !whole) return '';
  const kept = keptRollups(whole).filter(({ rollup }) => rollup.many.entity === part.name);
  if (kept.length === 0) return '';
  const back = quote(parent.field);
  const ids = transitions.map((rows) => `select ${back} from ${rows}`).join(' union ');
  const table = tableOf(context, whole);
  return `    perform from ${table} w where w."id" in (${ids}) order by w."id" for no key update;
    ${refresh(context, whole, part, kept, `w."id" in (${ids})`)};
`;
}

/** What the state says of a column that is kept over parts. */
export function rollupState(context: Context, entity: Entity, field: Field): ColumnState['rollup'] {
  const definition = rollupDefinition(context, field);
  const part = field.rollup && context.model.entities.get(field.rollup.many.entity);
  if (definition === null || !field.rollup || !part) return undefined;
  return { definition, part: part.id, fill: refresh(context, entity, part, [{ field, rollup: field.rollup }], '{}') };
}

/** Waits for those who write parts by the trigger of before, which does not tell of it; who comes later has the new one. */
export const waitForParts = (state: DesiredState, part: TableState): string =>
  `lock table ${tableName(state, part)} in share mode`;

/** Computes one column of records anew. @param which condition on the record `w` */
export const fillRollup = (rollup: NonNullable<ColumnState['rollup']>, which: string): string =>
  rollup.fill.replace('{}', () => which);

function refresh(context: Context, whole: Entity, part: Entity, kept: readonly Kept[], which: string): string {
  const back = quote(part.parent?.field ?? '');
  const live = part.softDelete ? ` and x."deleted_at" is null` : '';
  const table = tableOf(context, whole);
  const values = kept.map(
    ({ field, rollup }) =>
      `${aggregateSql(field, rollup, (key) => `x.${quote(key)}`, rollup.where && `(${policySql(rollup.where, 'x.', context)}) is true`)} as ${quote(field.key)}`,
  );
  const columns = kept.map(({ field }) => quote(field.key));
  const set = columns.map((column) => `${column} = s.${column}`).join(', ');
  const differs = columns.map((column) => `t.${column} is distinct from s.${column}`).join(' or ');
  return `update ${table} t set ${set} from ${table} w cross join lateral (select ${values.join(', ')} from ${tableOf(context, part)} x where x.${back} = w."id"${live}) s where ${which} and t."id" = w."id" and (${differs})`;
}

/** What a rollup is, by ids: when it changes, its values do. */
function rollupDefinition({ model }: Context, { rollup }: Field): string | null {
  const part = rollup && model.entities.get(rollup.many.entity);
  if (!rollup || !part) return null;
  const idOf = (key: string | null): string | null => (key === null ? null : (part.fields.get(key)?.id ?? key));
  // Conditions name fields by key beside their id: with the key a rename would look like another condition.
  const where = JSON.stringify(rollup.where, (name, value: unknown) => (name === 'field' ? undefined : value));
  return JSON.stringify([part.id, rollup.fn, idOf(rollup.field), idOf(rollup.currency), where]);
}

/** Of the row trigger: what only brings rollups up to date is no change of the record. Its parts' events tell of it. */
export function passRollups(entity: Entity): string {
  const kept = keptRollups(entity);
  if (kept.length === 0) return '';
  const differs = kept.map(({ field }) => `new.${quote(field.key)} is distinct from old.${quote(field.key)}`);
  // With its types in its text the function is made anew when one changes: sessions keep plans for the types of before.
  const types = kept.map(({ field }) => field.type.columns(field)[0]?.type ?? '').join(', ');
  return `    -- ${types}
    if current_user = 'armature_owner' and (${differs.join(' or ')}) then
      return new;
    end if;
`;
}
