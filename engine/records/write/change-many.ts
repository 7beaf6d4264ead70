/** The UPDATE of many records in one statement, which says of each whether it has changed. */
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Change } from './change.ts';
import type { Scope } from '../scope.ts';
import { andAll, pairedPredicates } from './predicate.ts';
import { andLive, Parameters, tableOf } from './sql.ts';

/** A record and the version it was found with. */
export interface Target {
  readonly id: string;
  readonly version: number;
}

export interface ManyChange extends Pick<Change, 'assignments' | 'conditions' | 'grants' | 'fields' | 'skipEqual'> {
  /** What to change, as a FROM item called `r` with the column `id`; new values may come from its other columns. */
  source(parameters: Parameters): string;
}

export interface Outcome {
  readonly id: string;
  readonly changed: boolean;
  readonly version: number;
}

/** A source of records that must still be as they were found; the condition is that of {@link sameVersion}. */
export function targetSource(targets: readonly Target[], parameters: Parameters): string {
  const ids = parameters.bind(
    targets.map(({ id }) => id),
    'uuid[]',
  );
  const versions = parameters.bind(
    targets.map(({ version }) => String(version)),
    'integer[]',
  );
  return `unnest(${ids}, ${versions}) as r(id, version)`;
}

export const sameVersion = 'x.version = r.version';

/**
 * One row, read by {@link outcomesOf}. Refuses (`unmatched`, details: ids) when one of the records is not there, does
 * not fulfil the conditions, or may not be changed. Who was changed by somebody else in between is among them: the
 * statement has seen the record as it was before and could not say what it is now.
 */
export function changeManyStatement(scope: Scope, entity: Entity, change: ManyChange): Statement {
  const parameters = new Parameters();
  const table = tableOf(scope, entity);
  const source = change.source(parameters);
  const assignments = change.assignments(parameters);
  const granted = pairedPredicates(scope, change.grants, change.fields, 'x', parameters);
  const where = `x.id = r.id${andLive(entity, 'x')}${andAll(change.conditions?.(parameters) ?? [])}${andAll(granted)}`;
  const differs = assignments.map(({ column, value }) => `x.${column} is distinct from ${value}`).join(' or ');
  const set = assignments.map(({ column, value }) => `${column} = ${value}`).join(', ');
  // Always in the order of ids: two of these that meet wait for each other and do not lock each other out.
  const locked = `select x.id from ${table} x join r on x.id = r.id order by x.id for no key update of x`;
  const changed = `update ${table} x set ${set} from r join locked l on l.id = r.id where ${where}${change.skipEqual ? ` and (${differs})` : ''} returning x.id, x.version`;
  const same = change.skipEqual
    ? `(select x.version from ${table} x where ${where} and not (${differs}))`
    : 'null::integer';
  const outcome = `select r.id, c.version is not null as changed, coalesce(c.version, ${same}) as version from r left join changed c on c.id = r.id`;
  return {
    text: `with r as materialized (select * from ${source}), locked as materialized (${locked}), changed as (${changed}), outcome as materialized (${outcome}) select case when bool_or(o.version is null) then armature.refuse('unmatched', json_agg(o.id) filter (where o.version is null)) end, json_agg(json_build_array(o.id, o.changed, o.version))::text from outcome o`,
    values: parameters.values,
  };
}

export function outcomesOf(result: StatementResult | undefined): readonly Outcome[] {
  const rows: unknown = JSON.parse(result?.rows[0]?.[1] ?? '[]');
  if (!Array.isArray(rows)) return [];
  return rows.map((row: unknown): Outcome => {
    const [id, changed, version]: readonly unknown[] = Array.isArray(row) ? row : [];
    return { id: String(id), changed: changed === true, version: Number(version) };
  });
}
