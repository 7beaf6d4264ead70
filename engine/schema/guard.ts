/**
 * The pairing guard. Grants add up (columns of every permission) and so do policies (rows of every permission), which
 * would give the union of the fields on the union of the records. Where two permissions differ in both, the row trigger
 * asks for every changed column, and for every one that is given to a new record, whether a single permission covers it
 * on this very record.
 *
 * What a step of a lifecycle writes besides (`sets`) needs a column grant too. A permission whose fields lack such a
 * column covers it only in an update that takes a step which sets it.
 */
import { literal, quote } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import { columnsOf } from './columns.ts';
import type { Context } from './context.ts';
import { policySql } from './context.ts';
import { creatable, updatable } from './grants.ts';
import { type OwnGrant, ownRights } from './own-rights.ts';
import { holdsRole } from './row-rights.ts';
import { rowSql } from './rules.ts';
import { stepColumns } from './steps.ts';

/** A permission as the guard sees it. */
interface Cover {
  /** Database role. */
  readonly role: string;
  /** Over the record as it was (as it will be, of a new one), and for what only steps write over the step that is taken. */
  readonly condition: string;
  /** Column names. */
  readonly columns: ReadonlySet<string>;
}

/** @returns statements of the row trigger for UPDATE, or '' when grants and policies are exact by themselves */
export function pairingGuard(context: Context, entity: Entity): string {
  const changed = (column: string): string => `old.${quote(column)} is distinct from new.${quote(column)}`;
  return guardOf(context, entity, coversOf(context, entity), changed, 'no permission covers this change');
}

/**
 * The same for INSERT, when the record has its owner and its states and nothing else that the trigger gives. What is as
 * it would be without being named was not given.
 */
export function creationGuard(context: Context, entity: Entity): string {
  const given = (column: string): string => {
    const field = entity.fields.get(column);
    const preset = field && columnsOf(context, entity, field)[0]?.[1].default;
    return `new.${quote(column)} is distinct from ${column === 'owner' ? 'armature.user_id()' : (preset ?? 'null')}`;
  };
  return guardOf(context, entity, creationCovers(context, entity), given, 'no permission covers this record');
}

function guardOf(
  context: Context,
  entity: Entity,
  covers: readonly Cover[],
  written: (column: string) => string,
  refusal: string,
): string {
  // Rights on parts follow the parent and hold for all of their fields.
  if (entity.parent) return '';
  if (!covers.some((one, index) => covers.slice(index + 1).some((other) => tooWide(one, other)))) return '';
  const { names } = context.tenant;
  const columns = new Set(covers.flatMap((cover) => [...cover.columns]));
  const groups = Map.groupBy(columns, (column) =>
    covers.flatMap((cover, index) => (cover.columns.has(column) ? [index] : [])).join(),
  );
  const checks = [...groups].flatMap(([indexes, group]) => {
    const covering = indexes
      .split(',')
      .map((index) => covers[Number(index)])
      .filter((cover) => cover !== undefined);
    // What every permission covers is asked by the policies.
    if (covering.length === covers.length) return [];
    const covered = covering.map(({ role, condition }) =>
      condition === 'true' ? holds(role) : `(${holds(role)} and (${condition}) is true)`,
    );
    return `      if (${group.sort().map(written).join(' or ')}) then
        if not (${covered.join('\n          or ')}) then
          raise insufficient_privilege using message = ${literal(refusal)};
        end if;
      end if;`;
  });
  // The owner fills columns when publishing and clears references on delete; service principals may everything.
  return `    if current_user <> 'armature_owner' and not ${holds(names.system)} then
${checks.join('\n')}
    end if;`;
}

const holds = (role: string): string => holdsRole('current_user', role);

function coversOf(context: Context, entity: Entity): readonly Cover[] {
  const covers: Cover[] = [];
  for (const role of context.roles) {
    const rights = ownRights(context.model, entity, role);
    const byCondition = new Map<string, Set<string>>();
    const add = (condition: string, columns: Iterable<string>) => {
      byCondition.set(condition, new Set([...(byCondition.get(condition) ?? []), ...columns]));
    };
    for (const grant of rights.update) {
      for (const [condition, columns] of coveredBy(context, entity, grant)) add(condition, columns);
    }
    if (entity.softDelete)
      for (const grant of rights.delete) add(policySql(grant.condition, 'old.', context), ['deleted_at']);
    for (const [condition, columns] of byCondition)
      covers.push({ role: context.tenant.names.role(role.key), condition, columns });
  }
  return covers;
}

function creationCovers(context: Context, entity: Entity): readonly Cover[] {
  return context.roles.flatMap((role) =>
    ownRights(context.model, entity, role).create.map(({ condition, fields }) => ({
      role: context.tenant.names.role(role.key),
      condition: condition === null ? 'true' : rowSql(context, entity, condition, 'new.'),
      columns: new Set(creatable(entity, fields).map((id) => entity.fieldsById.get(id)?.column ?? id)),
    })),
  );
}

/** Conditions of one permission to change, with the columns each of them covers. */
function coveredBy(
  context: Context,
  entity: Entity,
  grant: OwnGrant,
): readonly (readonly [string, ReadonlySet<string>])[] {
  const rows = policySql(grant.condition, 'old.', context);
  const free = new Set(updatable(entity, grant.fields).map((id) => entity.fieldsById.get(id)?.column ?? id));
  const bound = new Map<string, Set<string>>();
  for (const { column, state, moves } of stepColumns(context, entity, grant)) {
    if (free.has(column)) continue;
    // A state only ever changes by a step: a permission of all steps covers it as it is.
    if (column === state && grant.transitions === null) {
      free.add(column);
      continue;
    }
    const pairs = moves.map(([from, to]) => `(${literal(from)}, ${literal(to)})`);
    const step = `(old.${quote(state)}, new.${quote(state)}) in (${pairs.join(', ')})`;
    const condition = rows === 'true' ? step : `(${rows}) and ${step}`;
    bound.set(condition, (bound.get(condition) ?? new Set()).add(column));
  }
  return [[rows, free], ...bound];
}

/** Whether the union of rows with the union of columns is more than the two permissions give one by one. */
function tooWide(a: Cover, b: Cover): boolean {
  if (a.condition === b.condition) return false;
  const aInB = a.columns.isSubsetOf(b.columns);
  const bInA = b.columns.isSubsetOf(a.columns);
  if (aInB && bInA) return false;
  return !((a.condition === 'true' && bInA) || (b.condition === 'true' && aInB));
}
