/** The UPDATE of one record: under the version the client read and the permissions' conditions, in one statement. */
import type { Statement } from '#engine/db/execute.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Grant } from '#engine/model/rights.ts';
import type { Scope } from '../scope.ts';
import { andAll, pairedPredicates } from './predicate.ts';
import { Parameters, tableOf } from './sql.ts';

/** Versions the client allows the record to have: those of `If-Match`; `null` for any. */
export type Versions = readonly number[] | null;

/** ` and x.version = any(…)`, or nothing. */
export function andVersion(version: Versions, parameters: Parameters): string {
  if (version === null) return '';
  return ` and x.version = any(${parameters.bind(version.map(String), 'integer[]')})`;
}

/** The version, where there is only one that will do: what functions of the database look at again. */
export function onlyOf(version: Versions): number | null {
  return version?.length === 1 ? (version[0] ?? null) : null;
}

export interface Change {
  readonly id: string;
  readonly version: Versions;
  /** The record must be deleted (for restoring); else it must not be. */
  readonly deleted?: boolean;
  /** Assignments: quoted column and the SQL of its new value, written with `parameters`. */
  assignments(parameters: Parameters): readonly { readonly column: string; readonly value: string }[];
  /** Further conditions on the old row, called `x`. */
  conditions?(parameters: Parameters): readonly string[];
  readonly grants: readonly Grant[];
  /** Fields that the grants must cover. */
  readonly fields: Iterable<string>;
  /** Nothing is written, and the version stays, when every value is there already. */
  readonly skipEqual: boolean;
}

/**
 * One row: `changed` or `unchanged`, and the new version (null when unchanged). Refuses (`unmatched`) when there is no
 * such record, another version of it, or no right to it.
 */
export function changeStatement(scope: Scope, entity: Entity, change: Change): Statement {
  const parameters = new Parameters();
  const table = tableOf(scope, entity);
  const id = parameters.bind(change.id, 'uuid');
  const version = andVersion(change.version, parameters);
  const deleted = entity.softDelete ? ` and x.deleted_at is ${change.deleted ? 'not null' : 'null'}` : '';
  const assignments = change.assignments(parameters);
  const conditions = change.conditions?.(parameters) ?? [];
  const granted = pairedPredicates(scope, change.grants, change.fields, 'x', parameters);
  const where = `x.id = ${id}${version}${deleted}${andAll(conditions)}${andAll(granted)}`;
  const differs = assignments.map(({ column, value }) => `x.${column} is distinct from ${value}`).join(' or ');
  const changed = `update ${table} x set ${assignments.map(({ column, value }) => `${column} = ${value}`).join(', ')} where ${where}${
    change.skipEqual ? ` and (${differs})` : ''
  } returning x.version`;
  const unchanged = change.skipEqual
    ? ` when exists (select from ${table} x where ${where} and not (${differs})) then 'unchanged'`
    : '';
  return {
    text: `with changed as (${changed}) select case when exists (select from changed) then 'changed'${unchanged} else armature.refuse('unmatched') end, (select c.version from changed c)`,
    values: parameters.values,
  };
}
