/** The bin: many records back out of it at once, and deleting them for good. */
import type { Sender } from '#engine/db/sender.ts';
import { isDatabaseError } from '#engine/db/database-error.ts';
import { qualified } from '#engine/db/identifiers.ts';
import { parseLiteral } from '#engine/condition/literals.ts';
import type { Entity } from '#engine/model/model.ts';
import { notFound, Problem } from '#engine/problem.ts';
import { purgeName } from '#engine/schema/purge.ts';
import type { Scope } from '../scope.ts';
import type { Versions } from './change.ts';
import { andVersion } from './change.ts';
import { diagnose, requireGrants } from './diagnose.ts';
import type { Plan } from './plan.ts';
import { andAll, andReadable, pairedPredicates } from './predicate.ts';
import { planRestore } from './remove.ts';
import { Parameters, tableOf } from './sql.ts';

/** Records of one request. */
const MAX_RECORDS = 100;

const hasBin = (entity: Entity): boolean => entity.softDelete && entity.parent === null;

/** @param ids canonical; @param version of a single one */
export function planPurge(
  database: Sender,
  scope: Scope,
  entity: Entity,
  ids: readonly string[],
  version: Versions,
): Plan {
  if (!hasBin(entity)) throw notFound();
  const grants = scope.rights.of(entity.name).purge;
  requireGrants(scope, entity, grants, 'purge');
  const parameters = new Parameters();
  const all = parameters.bind(ids, 'uuid[]');
  const same = andVersion(version, parameters);
  const allowed = andAll(pairedPredicates(scope, grants, [], 'x', parameters));
  const seen = `select x.id from ${tableOf(scope, entity)} x where x.id = any(${all}) and x.deleted_at is not null${same}${andReadable(scope, entity, 'x', parameters)}${allowed}`;
  const purge = `${qualified(scope.tenant.names.schema, purgeName(entity))}(${all})`;
  return {
    entity,
    statements: [
      {
        text: `with seen as materialized (${seen}) select case when (select count(*) from seen) = cardinality(${all}) then ${purge}::text else armature.refuse('unmatched') end`,
        values: parameters.values,
      },
    ],
    refused: async () => {
      for (const id of ids) {
        const wanted = { id, version, deleted: true, grants, fields: [], verb: 'purge' };
        const { problem } = await diagnose(database, scope, entity, wanted);
        if (problem) return problem;
      }
      return 'again';
    },
  };
}

/** What a foreign key said of the record that was to go is about those that still refer to it. */
export function throwPurgeProblem(error: unknown): never {
  const { cause } = error instanceof Problem ? error : { cause: null };
  if (!isDatabaseError(cause) || cause.code !== '23503') throw error;
  const message = 'Other records still refer to this one. Change or purge them first.';
  throw new Problem('still_referenced', message, [], { cause });
}

/** Brings back several, all or none. */
export function planRestoreMany(database: Sender, scope: Scope, entity: Entity, ids: readonly string[]): Plan {
  const plans = ids.map((id) => planRestore(database, scope, entity, id, null));
  return {
    entity,
    statements: plans.flatMap(({ statements }) => statements),
    refused: async (refusal) => {
      for (const plan of plans) {
        const problem = await plan.refused(refusal);
        if (problem !== 'again') return problem;
      }
      return 'again';
    },
  };
}

/** Ids out of `{"restore": [ids]}` or `{"purge": [ids]}`. @throws Problem `invalid` */
export function binCommand(body: unknown): { readonly action: 'restore' | 'purge'; readonly ids: readonly string[] } {
  const entries = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const [entry] = entries;
  const action = entry?.[0];
  if (entries.length !== 1 || (action !== 'restore' && action !== 'purge'))
    throw refused('', 'Send either “restore” or “purge”, with a list of ids.');
  const list: readonly unknown[] = Array.isArray(entry?.[1]) ? entry[1] : [];
  if (list.length === 0 || list.length > MAX_RECORDS)
    throw refused(`/${action}`, `A list of 1 to ${MAX_RECORDS} ids is expected here.`);
  const ids = list.map((one, index) => {
    const id = parseLiteral(one, 'uuid');
    if (typeof id !== 'string') throw refused(`/${action}/${index}`, 'The id of a record is expected here.');
    return id;
  });
  return { action, ids: [...new Set(ids)] };
}

function refused(pointer: string, message: string): Problem {
  return new Problem('invalid', message, [{ code: 'type', message, pointer }]);
}
