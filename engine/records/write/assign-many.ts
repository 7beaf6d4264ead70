/** Giving all records that match a filter to another owner, or none of them. */
import type { Statement } from '#engine/db/execute.ts';
import type { Sender } from '#engine/db/sender.ts';
import { qualified } from '#engine/db/identifiers.ts';
import type { Entity } from '#engine/model/model.ts';
import { USER_ENTITY } from '#engine/model/system-fields.ts';
import { notFound } from '#engine/problem.ts';
import { assignName } from '#engine/schema/assign.ts';
import type { Scope } from '../scope.ts';
import { notActive, ownerOf } from './assign.ts';
import type { Target } from './change-many.ts';
import { sameVersion, targetSource } from './change-many.ts';
import { requireGrants } from './diagnose.ts';
import type { ManyNow, Matching } from './many.ts';
import { doMany } from './many.ts';
import { andAll, andReadable, pairedPredicates } from './predicate.ts';
import { References } from './references.ts';
import type { WriteResult } from './run.ts';
import { andLive, Parameters, tableOf } from './sql.ts';

/**
 * Answers `{"data": {"affected": n, "ids": […]}}`; records that are the new owner's already are not among them.
 * @param body `{"owner": id of a user}`
 * @throws Problem `max_affected`, and those of assigning a single record
 */
export function assignMany(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  matching: Matching,
  body: unknown,
  options: ManyNow,
): Promise<WriteResult> {
  return doMany(sender, scope, entity, matching, options, () => {
    if (!entity.owner) throw notFound();
    const grants = scope.rights.of(entity.name).assign;
    requireGrants(scope, entity, grants, 'assign');
    const owner = ownerOf(body);
    const references = new References(scope);
    references.need(USER_ENTITY, owner, '/owner');
    const lookup = references.statement();
    return {
      statements: (targets) => [...(lookup ? [lookup] : []), assignStatement(scope, entity, owner, targets)],
      changed: (results, targets) => {
        const before = new Map(targets.map(({ id, version }) => [id, version]));
        return changedIn(results.at(-1)?.rows[0]?.[1], before);
      },
      refused: ({ code, ids }) => {
        if (code === 'references') return references.problem(ids);
        return code === 'owner' ? notActive() : null;
      },
      grants,
      fields: [],
      verb: 'assign',
    };
  });
}

/** The function asks once more for each; here is said which of them are not there or not the principal's to assign. */
function assignStatement(scope: Scope, entity: Entity, owner: string, targets: readonly Target[]): Statement {
  const parameters = new Parameters();
  const source = targetSource(targets, parameters);
  const allowed = andAll(pairedPredicates(scope, scope.rights.of(entity.name).assign, [], 'x', parameters));
  const seen = `select r.id, r.version from r join ${tableOf(scope, entity)} x on x.id = r.id and ${sameVersion}${andLive(entity, 'x')}${andReadable(scope, entity, 'x', parameters)}${allowed}`;
  const assign = `${qualified(scope.tenant.names.schema, assignName(entity))}(s.id, ${parameters.bind(owner, 'uuid')}, s.version)`;
  // In the order of ids: two of these that meet wait for each other and do not lock each other out.
  return {
    text: `with r as materialized (select * from ${source}), seen as materialized (${seen}), asked as materialized (select case when bool_or(s.id is null) then armature.refuse('unmatched', json_agg(r.id) filter (where s.id is null)) end as refused from r left join seen s on s.id = r.id), done as materialized (select s.id, ${assign} as version from (select * from seen order by id) s where (select a.refused from asked a) is null) select null, (select json_agg(json_build_array(d.id, d.version))::text from done d)`,
    values: parameters.values,
  };
}

/** Ids whose version the function has raised. */
function changedIn(json: string | null | undefined, before: ReadonlyMap<string, number>): readonly string[] {
  const rows: unknown = JSON.parse(json ?? '[]');
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown) => {
    const [id, version]: readonly unknown[] = Array.isArray(row) ? row : [];
    return typeof id === 'string' && Number(version) !== before.get(id) ? [id] : [];
  });
}
