/**
 * Which fields of a release get another type, and what becomes of their columns. The field keeps its id; the column with
 * the old type's values is set aside under the id and a mark of that type, and comes back when the type comes back.
 */
import { createHash } from 'node:crypto';
import type { Entity, Field, Model } from '../../model/model.ts';
import { typeOf } from '../ddl.ts';
import { shapeId } from '../names.ts';
import { becameComputed, type Refusal } from '../diff-columns.ts';
import type { ColumnState, DesiredState, TableState } from '../state.ts';
import { freeze } from '../state.ts';
import { typeChange } from '../widen.ts';
import type { Target } from './names.ts';
import { withColumnIds } from '../reshape.ts';
import { isConvertible, staysAsItIs, unconvertible } from './values.ts';

export type OnFail = 'refuse' | 'null';

/** By `entity.field`, e.g. `crm.account.size`: what becomes of values that the new type cannot take. */
export type OnFails = Readonly<Record<string, OnFail>>;

export interface Conversion {
  /** Table and column id; the column's is the field's. */
  readonly table: string;
  readonly column: string;
  /** The entity and the field as they will be. */
  readonly entity: Entity;
  readonly to: Field;
  readonly from: Field;
  /** Id under which the old column is set aside. */
  readonly aside: string;
  /** Id under which a column of the new type was set aside, if one was. */
  readonly back: string;
  /** Name of a column of the new type that was set aside before and comes back; `null` without one. */
  readonly returns: string | null;
  /** When that one was set aside, as Postgres writes it: records that nobody wrote since have its value. */
  readonly since: string | null;
  /** The records that a reference leads to, where the field becomes one or was one. */
  readonly target: Target | null;
  readonly onFail: OnFail;
}

/** `ahead`: the values are made ready before the publish, because the table is large. */
export type PlannedConversion = Conversion & { readonly ahead: boolean };

export interface ConversionsInput {
  readonly before: DesiredState;
  readonly wanted: DesiredState;
  readonly next: Model;
  /** The field as the values that are there have it, in its model; `undefined` when nobody knows. */
  readonly fieldBefore: (table: string, column: string, aside: boolean) => Promise<KnownField | undefined>;
  /** The model of the release before. */
  readonly modelBefore: () => Promise<Model | null>;
  /** When a column was set aside. */
  readonly asideSince: (column: string) => Promise<string | null>;
  /** Whether a table is so large that it is not rewritten in place. */
  readonly many: (table: string) => boolean;
  readonly onFail: OnFails;
}

export interface KnownField {
  readonly field: Field;
  readonly model: Model;
}

export interface Conversions {
  readonly conversions: readonly Conversion[];
  /** Fields whose values cannot become those of their new type. */
  readonly refusals: readonly Refusal[];
}

export async function findConversions(input: ConversionsInput): Promise<Conversions> {
  const { before, wanted, next, fieldBefore, asideSince, many, onFail } = input;
  const conversions: Conversion[] = [];
  const refusals: Refusal[] = [];
  const entities = new Map([...next.entities.values()].map((entity) => [entity.id, entity]));
  for (const now of Object.values(wanted.tables)) {
    const old = before.tables[now.id];
    const entity = entities.get(now.id);
    if (!old || !entity || now.history) continue;
    refusals.push(...(await outOfTheRecord(input, entity, old, now)));
    for (const [id, column] of Object.entries(now.columns)) {
      const to = entity.fieldsById.get(id);
      const was = old.columns[id];
      if (!to || !was || was.generated !== null || column.generated !== null) continue;
      // What is kept over parts is computed anew.
      if (was.rollup) continue;
      if (column.rollup) {
        if (!was.aside) refusals.push(becameComputed(now, column));
        continue;
      }
      const sameType = typeOf(was) === typeOf(column);
      if (!sameType && !many(now.id) && typeChange(was.type, column.type).kind !== 'refused') continue;
      const known = await fieldBefore(now.id, id, was.aside);
      if (!known) continue;
      const from = known.field;
      // Ids stay ids: that they lead somewhere is asked with the reference.
      if (from.reference && to.reference) continue;
      const marks = { from: markOf(known, was), to: markOf({ field: to, model: next }, column) };
      const back = shapeId(id, marks.to);
      const kept = marks.from === marks.to ? undefined : old.columns[back];
      const returns = kept?.aside === true ? kept.name : null;
      if (sameType && returns === null && staysAsItIs(from, to)) continue;
      if (!isConvertible(from, to)) {
        refusals.push(refusal(entity, from, to));
        continue;
      }
      conversions.push({
        table: now.id,
        column: id,
        entity,
        to,
        from,
        aside: shapeId(id, marks.from),
        back,
        returns,
        since: returns === null ? null : await asideSince(back),
        target: await targetOf(to.reference ? { field: to, model: next } : known, input),
        onFail: onFail[`${entity.name}.${to.key}`] ?? 'refuse',
      });
    }
  }
  return { conversions, refusals };
}

/** Fields whose values leave the record, or would come into it: links, and references to one of several entities. */
async function outOfTheRecord(
  { fieldBefore }: ConversionsInput,
  entity: Entity,
  old: TableState,
  now: TableState,
): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = [];
  for (const [id, to] of entity.fieldsById) {
    const was = old.columns[id];
    const leaves = was !== undefined && !was.aside && was.generated === null && !was.rollup && !now.columns[id];
    const comes = was === undefined && now.columns[id] !== undefined;
    if (!leaves && !comes) continue;
    const from = (await fieldBefore(entity.id, id, false))?.field;
    if (from && (leaves || from.derived?.kind === 'any' || from.many?.via === 'links'))
      refusals.push(refusal(entity, from, to));
  }
  return refusals;
}

function refusal(entity: Entity, from: Field, to: Field): Refusal {
  return {
    code: 'type_change',
    message: `Field ${to.label} of ${entity.label} is ${from.type.key} and cannot become ${to.type.key}${unconvertible(from, to)}. Add another field and remove this one.`,
    params: { from: from.type.key, to: to.type.key },
    entity: entity.name,
    field: to.key,
  };
}

/** People know records by the titles that they have now: as the release before says, if it has that entity. */
async function targetOf({ field, model }: KnownField, { modelBefore }: ConversionsInput): Promise<Target | null> {
  const entity = field.reference && model.entities.get(field.reference.entity);
  if (!entity) return null;
  const old = await modelBefore();
  const same = [...(old?.entities.values() ?? [])].find(({ id }) => id === entity.id);
  return old && same ? { model: old, entity: same } : { model, entity };
}

/** Tells the types a field has had from each other; of references, where they lead too. */
function markOf({ field, model }: KnownField, column: ColumnState): string {
  const target = field.reference && model.entities.get(field.reference.entity);
  return createHash('sha256')
    .update(`${field.type.key} ${typeOf(column)}${target ? ` ${target.id}` : ''}`)
    .digest('hex')
    .slice(0, 6);
}

/** The state as the difference has to see it: the old column is another one than the field's. */
export function withConversions(before: DesiredState, conversions: readonly PlannedConversion[]): DesiredState {
  if (conversions.length === 0) return before;
  const tables: Record<string, TableState> = { ...before.tables };
  for (const conversion of conversions) {
    const table = tables[conversion.table];
    if (table) tables[table.id] = reshaped(table, conversion);
  }
  return freeze({ ...before, tables });
}

function reshaped(whole: TableState, { column, aside, back, returns, ahead }: PlannedConversion): TableState {
  const { [back]: _taken, ...others } = whole.columns;
  // What was made ready ahead has the values that come back in it.
  const table = ahead && returns !== null ? { ...whole, columns: others } : whole;
  return withColumnIds(table, (id) => (id === column ? aside : returns !== null && id === back ? column : id));
}
