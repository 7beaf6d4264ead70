/** Why a statement found no record to change. Asked only after the fact, as the principal: what it may not see is missing. */
import type { Sender } from '#engine/db/sender.ts';
import { sessionOf } from '#engine/db/database.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Grant } from '#engine/model/rights.ts';
import { notFound, Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import type { Versions } from './change.ts';
import { andReadable, pairedPredicates } from './predicate.ts';
import { column, Parameters, tableOf } from './sql.ts';

export interface Wanted {
  readonly id: string;
  readonly version: Versions;
  /** Looked for among the deleted ones. */
  readonly deleted: boolean;
  readonly grants: readonly Grant[];
  /** Fields the grants must cover. */
  readonly fields: Iterable<string>;
  /** `change`, `delete`, …: what may not be done. */
  readonly verb: string;
}

/**
 * @returns the problem, or `again` when the record is there, of the right version, and may be changed: then another
 *   change was just in the way
 */
export async function diagnose(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  wanted: Wanted,
  stateField: string | null = null,
): Promise<{ readonly problem: Problem | null; readonly state: string | null }> {
  const parameters = new Parameters();
  const id = parameters.bind(wanted.id, 'uuid');
  const predicates = pairedPredicates(scope, wanted.grants, wanted.fields, 'x', parameters);
  const readable = andReadable(scope, entity, 'x', parameters);
  const field = stateField === null ? undefined : entity.fields.get(stateField);
  // Whoever may take a step need not see the state; a mask, like everywhere, whether or not conditions are compiled in.
  const masked = { ...scope, predicates: true };
  const readers = scope.rights.of(entity.name).read;
  const shown = field ? pairedPredicates(masked, readers, [field.key], 'x', parameters) : [];
  const live = entity.softDelete ? ` and x.deleted_at is ${wanted.deleted ? 'not null' : 'null'}` : '';
  const text = `select x.version, ${predicates.length === 0 ? 'true' : `(${predicates.join(' and ')}) is true`}, ${
    field ? `case when ${['true', ...shown].join(' and ')} then x.${column(field)} end` : 'null::text'
  } from ${tableOf(scope, entity)} x where x.id = ${id}${live}${readable}`;
  const [result] = await sender.batch(sessionOf(scope.principal), [{ text, values: parameters.values }]);
  const row = result?.rows[0];
  const state = row?.[2] ?? null;
  if (!row) return { problem: notFound(), state };
  if (wanted.version !== null && !wanted.version.includes(Number(row[0])))
    return { problem: staleVersion(Number(row[0])), state };
  if (row[1] !== 't') return { problem: new Problem('forbidden', `You may not ${wanted.verb} this record.`), state };
  return { problem: null, state };
}

function staleVersion(version: number): Problem {
  return new Problem(
    'precondition_failed',
    'Somebody changed this record after you read it. Look at it again, then repeat your change.',
    [
      {
        code: 'version',
        message: `The record is at version ${version} now.`,
        parameter: 'If-Match',
        params: { version },
      },
    ],
  );
}

/** @throws Problem when the principal has none of the rights; of an entity it may not even read it learns nothing */
export function requireGrants(scope: Scope, entity: Entity, grants: readonly Grant[], verb: string): void {
  if (grants.length > 0) return;
  if (scope.rights.of(entity.name).read.length === 0) throw notFound();
  throw new Problem('forbidden', `You may not ${verb} records of “${entity.label}”.`);
}
