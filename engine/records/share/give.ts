/** Sharing a record, and ending that. A share is never changed: another one for the same person or team ends the first. */
import type { IdSource } from '#engine/clock.ts';
import type { Sender } from '#engine/db/sender.ts';
import type { Statement } from '#engine/db/execute.ts';
import { qualified } from '#engine/db/identifiers.ts';
import { parseLiteral } from '#engine/condition/literals.ts';
import type { ShareLevel } from '#engine/condition/condition.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import { TEAM_ENTITY, USER_ENTITY } from '#engine/model/system-fields.ts';
import { notFound, Problem } from '#engine/problem.ts';
import { SHARES } from '#engine/schema/shares.ts';
import { recordId } from '../record-id.ts';
import type { Scope } from '../scope.ts';
import { diagnose, requireGrants } from '../write/diagnose.ts';
import type { Plan, Refusal } from '../write/plan.ts';
import { andAll, andReadable, pairedPredicates } from '../write/predicate.ts';
import { References } from '../write/references.ts';
import { andLive, Parameters, tableOf } from '../write/sql.ts';
import { Faults, isObject } from '../write/validate.ts';

const MAX_REASON = 500;

/** What is shared with whom. Exactly one of `user` and `team`. */
interface Share {
  readonly id: string;
  readonly user: string | null;
  readonly team: string | null;
  readonly level: ShareLevel;
  readonly reason: string | null;
  /** ISO 8601, UTC; `null`: until somebody ends it. */
  readonly until: string | null;
}

export interface SharePlan extends Plan {
  readonly share: Share;
}

/** Keeps these locks apart from those of others. */
const IN_TURN = 4_092_215;

export const sharesTableOf = (scope: Scope): string => qualified(scope.tenant.names.schema, SHARES);

/** @throws Problem `not_found` where records are not shared, `forbidden` without the right to share any */
export function requireSharing(scope: Scope, entity: Entity): void {
  if (!entity.sharing) throw notFound();
  requireGrants(scope, entity, scope.rights.of(entity.name).share, 'share');
}

/**
 * @param body `{"user" or "team": id, "level": "read"|"write", "reason"?: text, "until"?: date-time}`
 * @param now milliseconds since the Unix epoch
 */
export function planShare(
  database: Sender,
  scope: Scope,
  entity: Entity,
  id: string,
  body: unknown,
  { ids, now }: { readonly ids: IdSource; readonly now: number },
): SharePlan {
  const record = recordId(id);
  requireSharing(scope, entity);
  const share = { id: ids.uuid(), ...shareOf(body, now) };
  const references = new References(scope);
  if (share.user !== null) references.need(USER_ENTITY, share.user, '/user');
  if (share.team !== null) references.need(TEAM_ENTITY, share.team, '/team');
  const lookup = references.statement();
  return {
    entity,
    share,
    statements: [
      ...(lookup ? [lookup] : []),
      inTurn(record, share),
      endFormer(scope, entity, record, share),
      insert(scope, entity, record, share),
    ],
    refused: async (refusal: Refusal) => {
      if (refusal.code === 'references') return references.problem(refusal.ids);
      if (refusal.code === 'user') return notActive();
      return (await whyNot(database, scope, entity, record)) ?? tooMuch(scope, entity, share);
    },
  };
}

/** Of two who share a record with the same person or team at the same time the later one must see what the other gave. */
function inTurn(record: string, { user, team }: Share): Statement {
  const parameters = new Parameters();
  const pair = parameters.bind(`${record} ${user ?? team ?? ''}`, 'text');
  return { text: `select pg_advisory_xact_lock(hashtextextended(${pair}, ${IN_TURN}))`, values: parameters.values };
}

/** Another share for the same person or team takes the place of the one there is. */
function endFormer(scope: Scope, entity: Entity, record: string, { user, team }: Share): Statement {
  const parameters = new Parameters();
  const to =
    user === null ? `s.team = ${parameters.bind(team, 'uuid')}` : `s."user" = ${parameters.bind(user, 'uuid')}`;
  return {
    text: `update ${sharesTableOf(scope)} s set ended_at = armature.now() where ${to} and s.entity = ${parameters.bind(entity.id, 'text')} and s.record = ${parameters.bind(record, 'uuid')} and s.ended_at is null and ${onSharable(scope, entity, 's.record', parameters)}`,
    values: parameters.values,
  };
}

function insert(scope: Scope, entity: Entity, record: string, share: Share): Statement {
  const parameters = new Parameters();
  const { share: grants, read, update, readableFields } = scope.rights.of(entity.name);
  const text = (value: Value, type: string) => parameters.bind(value, type);
  const values = [
    text(share.id, 'uuid'),
    text(entity.id, 'text'),
    'x.id',
    text(share.user, 'uuid'),
    text(share.team, 'uuid'),
    text(share.level, 'text'),
    text(share.reason, 'text'),
    text(share.until, 'timestamptz'),
  ];
  const allowed = [
    ...pairedPredicates(scope, grants, [], 'x', parameters),
    // Nobody gives more than they have: a share makes every permission to read count, also those of whoever shares.
    ...(showsSomeInPart(scope, entity) ? pairedPredicates(scope, read, readableFields.keys(), 'x', parameters) : []),
    ...(share.level === 'write' ? pairedPredicates(scope, update, [], 'x', parameters) : []),
  ];
  const from = `${tableOf(scope, entity)} x where x.id = ${text(record, 'uuid')}${andLive(entity, 'x')}${andReadable(scope, entity, 'x', parameters)}${andAll(allowed)}`;
  return {
    text: `with given as (insert into ${sharesTableOf(scope)} (id, entity, record, "user", team, level, reason, until) select ${values.join(', ')} from ${from} returning 1) select armature.refuse('unmatched') where not exists (select from given)`,
    values: parameters.values,
  };
}

/** The record that a share is about is one the principal may share. */
export function onSharable(scope: Scope, entity: Entity, record: string, parameters: Parameters): string {
  const allowed = andAll(pairedPredicates(scope, scope.rights.of(entity.name).share, [], 'x', parameters));
  return `exists (select from ${tableOf(scope, entity)} x where x.id = ${record}${andLive(entity, 'x')}${andReadable(scope, entity, 'x', parameters)}${allowed})`;
}

export function planEndShare(database: Sender, scope: Scope, entity: Entity, id: string, shareId: string): Plan {
  const record = recordId(id);
  const share = recordId(shareId);
  requireSharing(scope, entity);
  const parameters = new Parameters();
  const which = `s.id = ${parameters.bind(share, 'uuid')} and s.entity = ${parameters.bind(entity.id, 'text')} and s.record = ${parameters.bind(record, 'uuid')}`;
  const sharable = onSharable(scope, entity, 's.record', parameters);
  return {
    entity,
    statements: [
      {
        text: `with ended as (update ${sharesTableOf(scope)} s set ended_at = armature.now() where ${which} and s.ended_at is null and ${sharable} returning 1) select armature.refuse('unmatched') where not exists (select from ended)`,
        values: parameters.values,
      },
    ],
    refused: async () => (await whyNot(database, scope, entity, record)) ?? notFound(),
  };
}

/** Why a record cannot be shared: it is not there for the principal, or not theirs to share. */
export async function whyNot(database: Sender, scope: Scope, entity: Entity, record: string): Promise<Problem | null> {
  const grants = scope.rights.of(entity.name).share;
  const wanted = { id: record, version: null, deleted: false, grants, fields: [], verb: 'share' };
  return (await diagnose(database, scope, entity, wanted)).problem;
}

function notActive(): Problem {
  const message = 'Records are shared only with somebody who is active.';
  return new Problem('invalid', message, [{ code: 'reference', message, pointer: '/user' }]);
}

/** Of some records the principal is shown fewer fields than of others. */
function showsSomeInPart(scope: Scope, entity: Entity): boolean {
  return [...scope.rights.of(entity.name).readableFields.values()].includes('conditional');
}

function tooMuch(scope: Scope, entity: Entity, { level }: Share): Problem | 'again' {
  const inPart = showsSomeInPart(scope, entity);
  if (level === 'read' && !inPart) return 'again';
  const message = [
    ...(inPart ? ['You cannot share a record of which you are shown only a part.'] : []),
    ...(level === 'write' ? ['You cannot let others change a record that you may not change yourself.'] : []),
  ].join(' ');
  return new Problem('forbidden', message, [{ code: 'more_than_own', message, pointer: '/level' }]);
}

const KEYS: ReadonlySet<string> = new Set(['user', 'team', 'level', 'reason', 'until']);

/** @throws Problem `invalid` with everything that is wrong */
function shareOf(body: unknown, now: number): Omit<Share, 'id'> {
  const faults = new Faults();
  const fault = (key: string, code: string, message: string) => faults.add({ code, message, pointer: `/${key}` });
  const given = isObject(body) ? body : {};
  for (const key of Object.keys(given)) if (!KEYS.has(key)) fault(key, 'unknown_field', `“${key}” is not known here.`);
  const idIn = (key: 'user' | 'team'): string | null => {
    const value = given[key];
    if (value === undefined || value === null) return null;
    const id = parseLiteral(value, 'uuid');
    if (typeof id !== 'string') fault(key, 'type', `The id of a ${key} is expected here.`);
    return typeof id === 'string' ? id : null;
  };
  const share = { user: idIn('user'), team: idIn('team') };
  if ((given['user'] == null) === (given['team'] == null)) fault('user', 'required', 'Name either a user or a team.');
  const { level, reason = null, until = null } = given;
  if (level !== 'read' && level !== 'write') fault('level', 'choice', 'The level is “read” or “write”.');
  const words = typeof reason === 'string' ? reason.trim() : null;
  if (reason !== null && (words === null || words.length > MAX_REASON || parseLiteral(words, 'text') === undefined))
    fault('reason', 'too_long', `The reason is a text of at most ${MAX_REASON} characters.`);
  const end = until === null ? null : parseLiteral(until, 'datetime');
  if (end !== null && typeof end !== 'string') fault('until', 'type', 'A date and time is expected here.');
  else if (typeof end === 'string' && Date.parse(end) <= now)
    fault('until', 'too_small', 'This end has passed already.');
  faults.check();
  return {
    ...share,
    level: level === 'write' ? 'write' : 'read',
    reason: words === '' ? null : words,
    until: typeof end === 'string' ? end : null,
  };
}
