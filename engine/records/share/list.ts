/** Who has access to a record, and why: its owner, people whose role reaches it, and those it is shared with. */
import type { Sender } from '#engine/db/sender.ts';
import { sessionOf } from '#engine/db/database.ts';
import { quote } from '#engine/db/identifiers.ts';
import type { Entity, Model } from '#engine/model/model.ts';
import { rowsReached } from '#engine/model/shared-rows.ts';
import { TEAM_ENTITY, USER_ENTITY } from '#engine/model/system-fields.ts';
import { notFound } from '#engine/problem.ts';
import { recordId } from '../record-id.ts';
import type { Scope } from '../scope.ts';
import { andReadable } from '../write/predicate.ts';
import { Parameters, tableOf } from '../write/sql.ts';
import { onSharable, requireSharing, sharesTableOf, whyNot } from './give.ts';

/** Shares told at most, newest first: those that hold before those that have ended. */
const LIMIT = 200;

/** What a role reaches of an entity: all of its records, or some of them. */
interface RoleAccess {
  readonly role: string;
  readonly label: string;
  readonly read: 'all' | 'some';
  readonly write: 'all' | 'some' | null;
}

/**
 * @returns `{"data":{"owner":{"id","name"}|null,"roles":[{"role","label","read","write"}],"shares":[{"id","user"|"team":{"id","name"},"level","reason","until","created_at","created_by","state":"live"|"expired"|"ended","ended_at","ended_by"}]}}`
 * @throws Problem `not_found`, `forbidden`: only who may share a record is told who else has access
 */
export async function accessList(
  database: Sender,
  scope: Scope,
  entity: Entity,
  id: string,
): Promise<{ readonly body: string }> {
  const record = recordId(id);
  requireSharing(scope, entity);
  const parameters = new Parameters();
  const which = parameters.bind(record, 'uuid');
  const sharable = onSharable(scope, entity, 'r.id', parameters);
  const owner = entity.owner && scope.rights.of(entity.name).readableFields.has('owner');
  const state = `case when s.until <= coalesce(s.ended_at, armature.now()) then 'expired' when s.ended_at is not null then 'ended' else 'live' end`;
  const user = (column: string) => named(scope, USER_ENTITY, column, parameters);
  const shares = `select s.id, ${user('s."user"')} as "user", ${named(scope, TEAM_ENTITY, 's.team', parameters)} as team, s.level, s.reason, s.until, s.created_at, ${user('s.created_by')} as created_by, ${state} as state, s.ended_at, ${user('s.ended_by')} as ended_by
    from ${sharesTableOf(scope)} s where s.entity = ${parameters.bind(entity.id, 'text')} and s.record = ${which} order by (${state}) = 'live' desc, s.created_at desc, s.id desc limit ${LIMIT}`;
  const text = `select json_build_object('owner', ${owner ? user('r.owner') : 'null::json'}, 'roles', ${parameters.bind(JSON.stringify(rolesOf(scope.model, entity)), 'text')}::json, 'shares', coalesce((select json_agg(l) from (${shares}) l), '[]'))::text
    from ${tableOf(scope, entity)} r where r.id = ${which} and ${sharable}`;
  const [result] = await database.batch(sessionOf(scope.principal), [{ text, values: parameters.values }]);
  const data = result?.rows[0]?.[0];
  if (typeof data === 'string') return { body: `{"data":${data}}` };
  throw (await whyNot(database, scope, entity, record)) ?? notFound();
}

/** `{"id","name"}` of a user or team; the name only where it may be read. */
function named(scope: Scope, target: string, column: string, parameters: Parameters): string {
  const entity = scope.model.entities.get(target);
  const readable = entity && scope.rights.of(target).readableFields.get('name') === 'always';
  const name = readable
    ? `(select n.${quote('name')} from ${tableOf(scope, entity)} n where n.id = ${column}${andReadable(scope, entity, 'n', parameters)})`
    : 'null::text';
  return `case when ${column} is not null then json_build_object('id', ${column}, 'name', ${name}) end`;
}

/** Roles that reach records of the entity without a share. */
function rolesOf(model: Model, entity: Entity): readonly RoleAccess[] {
  const reach = (role: string, action: 'read' | 'update'): 'all' | 'some' | null => {
    const granted = entity.permissions.filter((one) => one.role === role && one.actions.has(action));
    if (granted.length === 0) return null;
    return granted.some((one) => rowsReached(entity, one, action) === null) ? 'all' : 'some';
  };
  return [...model.roles.values()].flatMap(({ key, label }) => {
    const read = reach(key, 'read');
    return read === null ? [] : [{ role: key, label, read, write: reach(key, 'update') }];
  });
}
