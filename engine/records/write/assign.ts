/**
 * Giving a record to another owner: an action of its own with a right of its own, because the giver may be somebody who
 * cannot see the record afterwards. The answer is then `{"data":null}`.
 */
import type { Sender } from '#engine/db/sender.ts';
import { qualified } from '#engine/db/identifiers.ts';
import type { Entity } from '#engine/model/model.ts';
import { USER_ENTITY } from '#engine/model/system-fields.ts';
import { notFound, Problem } from '#engine/problem.ts';
import { assignName } from '#engine/schema/assign.ts';
import { recordId } from '../record-id.ts';
import type { Scope } from '../scope.ts';
import type { Versions } from './change.ts';
import { andVersion, onlyOf } from './change.ts';
import { diagnose, requireGrants } from './diagnose.ts';
import type { Plan, Refusal } from './plan.ts';
import { andAll, andReadable, pairedPredicates } from './predicate.ts';
import { References } from './references.ts';
import { andLive, Parameters, tableOf } from './sql.ts';
import { Faults, isObject } from './validate.ts';

const NOT_ACTIVE = 'Only somebody who is active can own records.';

/**
 * @param body `{"owner": id of a user}`
 * @throws Problem `not_found` (also for entities whose records have no owner), `forbidden`, `invalid`
 */
export function planAssign(
  database: Sender,
  scope: Scope,
  entity: Entity,
  id: string,
  body: unknown,
  version: Versions,
): Plan {
  const record = recordId(id);
  if (!entity.owner) throw notFound();
  const grants = scope.rights.of(entity.name).assign;
  requireGrants(scope, entity, grants, 'assign');
  const owner = ownerOf(body);
  const references = new References(scope);
  references.need(USER_ENTITY, owner, '/owner');
  const lookup = references.statement();
  const parameters = new Parameters();
  const which = parameters.bind(record, 'uuid');
  const same = andVersion(version, parameters);
  const allowed = andAll(pairedPredicates(scope, grants, [], 'x', parameters));
  const seen = `select x.id from ${tableOf(scope, entity)} x where x.id = ${which}${same}${andLive(entity, 'x')}${andReadable(scope, entity, 'x', parameters)}${allowed}`;
  const assign = `${qualified(scope.tenant.names.schema, assignName(entity))}(s.id, ${parameters.bind(owner, 'uuid')}, ${parameters.bind(onlyOf(version), 'integer')})`;
  return {
    entity,
    statements: [
      ...(lookup ? [lookup] : []),
      {
        text: `with seen as materialized (${seen}), done as materialized (select ${assign} as version from seen s) select case when exists (select from done) then 'changed' else armature.refuse('unmatched') end, (select d.version from done d)`,
        values: parameters.values,
      },
    ],
    refused: async (refusal) => {
      if (refusal.code === 'references') return references.problem(refusal.ids);
      if (refusal.code === 'owner') return notActive();
      const wanted = { id: record, version, deleted: false, grants, fields: [], verb: 'assign' };
      const { problem } = await diagnose(database, scope, entity, wanted);
      return problem ?? 'again';
    },
  };
}

/** Nobody who is active: `invalid`. */
export function notActive(pointer = '/owner'): Problem {
  return new Problem('invalid', NOT_ACTIVE, [{ code: 'reference', message: NOT_ACTIVE, pointer }]);
}

/** What it means that a new record was given to nobody who is active; `null` for other refusals. */
export function ownerProblem(
  { code, ids: [record] }: Refusal,
  pointerOf: (record: string) => string | undefined,
): Problem | null {
  return code === 'owner' && record !== undefined ? notActive(`${pointerOf(record) ?? ''}/owner`) : null;
}

/** Every record has an owner, so it cannot be taken away without naming the next one. */
export function ownerOf(body: unknown): string {
  const faults = new Faults();
  const { owner, ...rest } = isObject(body) ? body : {};
  for (const key of Object.keys(rest))
    faults.add({ code: 'unknown_field', message: `“${key}” is not known here; send “owner”.`, pointer: `/${key}` });
  if (owner === undefined || owner === null)
    faults.add({ code: 'required', message: 'Say who is to own the record.', pointer: '/owner' });
  const id = typeof owner === 'string' ? userId(owner) : null;
  if (id === null && faults.details.length === 0)
    faults.add({ code: 'type', message: 'The id of a user is expected here.', pointer: '/owner' });
  faults.check();
  return id ?? '';
}

function userId(text: string): string | null {
  try {
    return recordId(text);
  } catch {
    return null;
  }
}
