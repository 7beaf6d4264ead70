/**
 * What of the outbox somebody is told. Who sees a record now is asked of the database, as this person, for all records
 * at once. That a record is gone from sight is told only to those who saw it before: by the values that permissions look
 * at, as they stood in the record until the change. Everybody else hears nothing, not even that something happened.
 */
import { type Condition, FALSE } from '#engine/condition/condition.ts';
import { evaluate } from '#engine/condition/evaluate.ts';
import { asksTheClock, looksFurther, operandsOf } from '#engine/condition/operands.ts';
import { all, any, isTrue } from '#engine/condition/simplify.ts';
import { userAttribute } from '#engine/condition/user-attributes.ts';
import { arrayText } from '#engine/db/identifiers.ts';
import type { Database } from '#engine/db/database.ts';
import { sessionOf } from '#engine/db/database.ts';
import type { Statement } from '#engine/db/execute.ts';
import type { Entity } from '#engine/model/model.ts';
import { Binds, bindValue } from '../read/binds.ts';
import { accessOf } from '../read/shapes.ts';
import { SqlWriter } from '../read/sql-source.ts';
import { SHARED_WITH } from '#engine/schema/shares.ts';
import type { Scope } from '../scope.ts';
import { isObject } from '../write/validate.ts';
import type { OutboxEvent } from './outbox-read.ts';

/** Ids and versions, never data. */
export interface ChangeItem {
  readonly kind: 'upsert' | 'removed';
  /** Of what was removed: `deleted` is in the bin or gone, `changed` is no longer for this person to see. */
  readonly reason?: 'deleted' | 'changed';
  /** Qualified name. */
  readonly entity: string;
  readonly id: string;
  readonly version: number;
  readonly at: string;
}

/** An event with what to tell of it; `null` for nothing. */
export interface Told {
  readonly event: OutboxEvent;
  readonly item: ChangeItem | null;
}

interface Seen {
  readonly version: number;
  readonly deleted: boolean;
}

interface Subject {
  readonly entity: Entity;
  readonly id: string;
}

/**
 * @param events of the person's organisation, in order
 * @param entities those that are asked for
 * @returns the events in their order; of several of one record, while it is to be seen, every one tells the same
 */
export async function tell(
  database: Database,
  scope: Scope,
  entities: readonly Entity[],
  events: readonly OutboxEvent[],
): Promise<readonly Told[]> {
  const byId = new Map(entities.map((entity) => [entity.id, entity]));
  const subjects = events.map((event) => subjectOf(scope, byId, event));
  const seen = await look(database, scope, subjects);
  return events.map((event, index) => {
    const subject = subjects[index];
    return { event, item: subject ? itemOf(scope, subject, event, seen.get(keyOf(subject))) : null };
  });
}

const keyOf = ({ entity, id }: Subject): string => `${entity.id} ${id}`;

/** A part that is gone is told as a change of its whole, which is all there is to see of it. */
function subjectOf(scope: Scope, entities: ReadonlyMap<string, Entity>, event: OutboxEvent): Subject | null {
  const entity = entities.get(event.entityId);
  if (!entity || (event.operation === SHARE && !concerns(scope, event))) return null;
  if (event.operation !== 'delete' || !entity.parent || entity.softDelete) return { entity, id: event.recordId };
  const whole = scope.model.entities.get(entity.parent.entity);
  const back = entity.fields.get(entity.parent.field);
  const id = back && event.before?.[back.id];
  return whole && typeof id === 'string' ? { entity: whole, id } : null;
}

function itemOf(scope: Scope, { entity, id }: Subject, event: OutboxEvent, now: Seen | undefined): ChangeItem | null {
  const { at, version } = event;
  const about = { entity: entity.name, id, at };
  if (now) {
    return now.deleted
      ? { kind: 'removed', reason: 'deleted', ...about, version: now.version }
      : { kind: 'upsert', ...about, version: now.version };
  }
  const { readable, predicate } = accessOf(scope).of(entity);
  if (!readable) return null;
  if (isTrue(predicate)) return { kind: 'removed', reason: 'deleted', ...about, version };
  // Of the event by which it left: what has happened to it since, and when, is not theirs to know.
  const saw =
    event.operation === SHARE
      ? sharedWith(event).ended && concerns(scope, event)
      : event.entityId === entity.id && sawBefore(scope, entity, predicate, event);
  if (!saw) return null;
  return { kind: 'removed', reason: 'changed', ...about, version };
}

/** Operation of an event that says a record was shared, or is no longer. */
const SHARE = 'share';

/** Only whom a share names, by themselves or by their team, hears of it: also whoever sees the record anyway does not. */
function concerns({ principal }: Scope, event: OutboxEvent): boolean {
  const { user, teams } = sharedWith(event);
  return (user !== null && user === principal.userId) || (principal.team !== null && teams.includes(principal.team));
}

function sharedWith({ before }: OutboxEvent): { user: string | null; teams: readonly unknown[]; ended: boolean } {
  const shared = before?.[SHARED_WITH];
  const { user, teams, ended } = isObject(shared) ? shared : {};
  return {
    user: typeof user === 'string' ? user : null,
    teams: Array.isArray(teams) ? teams : [],
    ended: ended === true,
  };
}

/** Whether the record was to be seen until this event for certain, as far as its own values tell. */
function sawBefore(scope: Scope, entity: Entity, predicate: Condition, { before }: OutboxEvent): boolean {
  if (before === null) return false;
  const record = Object.fromEntries(
    Object.entries(before).flatMap(([id, value]) => {
      const key = entity.fieldsById.get(id)?.key;
      return key === undefined ? [] : [[key, value]];
    }),
  );
  const { principal, tenant } = scope;
  return evaluate(certain(predicate, before), record, {
    user: (attribute) => userAttribute(principal, attribute),
    now: 0,
    timeZone: principal.timeZone,
    businessHours: tenant.businessHours,
  });
}

/** What the former values decide by themselves: true for no record for which the whole was false. */
function certain(condition: Condition, before: Readonly<Record<string, unknown>>): Condition {
  if (condition.kind === 'all') return all(condition.of.map((member) => certain(member, before)));
  if (condition.kind === 'any') return any(condition.of.map((member) => certain(member, before)));
  return isDecided(condition, before) ? condition : FALSE;
}

/** Shares, trees, other records and the time were what they were then, which nobody has written down. */
function isDecided(condition: Condition, before: Readonly<Record<string, unknown>>): boolean {
  if (asksTheClock(condition) || looksFurther(condition) || asksForShares(condition)) return false;
  return operandsOf(condition).every(
    (operand) => operand.kind !== 'field' || (operand.steps.length === 0 && Object.hasOwn(before, operand.fieldId)),
  );
}

function asksForShares(condition: Condition): boolean {
  if (condition.kind === 'all' || condition.kind === 'any') return condition.of.some(asksForShares);
  return condition.kind === 'not' ? asksForShares(condition.of) : condition.kind === 'shared';
}

/** The records that are to be seen, deleted ones too: a statement for each entity, all in one round trip. */
async function look(
  database: Database,
  scope: Scope,
  subjects: readonly (Subject | null)[],
): Promise<ReadonlyMap<string, Seen>> {
  const ids = new Map<Entity, Set<string>>();
  for (const subject of subjects) {
    if (!subject) continue;
    const known = ids.get(subject.entity);
    if (known) known.add(subject.id);
    else ids.set(subject.entity, new Set([subject.id]));
  }
  const asked = [...ids].flatMap(([entity, some]) => {
    const statement = visibleStatement(scope, entity, [...some]);
    return statement ? [{ entity, statement }] : [];
  });
  const seen = new Map<string, Seen>();
  if (asked.length === 0) return seen;
  const results = await database.batch(
    sessionOf(scope.principal),
    asked.map(({ statement }) => statement),
  );
  for (const [index, { entity }] of asked.entries()) {
    for (const [id, version, deleted] of results[index]?.rows ?? []) {
      if (id != null) seen.set(keyOf({ entity, id }), { version: Number(version), deleted: deleted === 't' });
    }
  }
  return seen;
}

function visibleStatement(scope: Scope, entity: Entity, ids: readonly string[]): Statement | null {
  const access = accessOf(scope);
  if (!access.of(entity).readable) return null;
  const binds = new Binds();
  const writer = new SqlWriter(access, binds, scope.tenant.names.schema, scope.predicates);
  const list = binds.once({ kind: 'value', value: arrayText(ids), sqlType: 'uuid[]' }, 'uuid[]');
  // Asked twice, because not everybody may read when a record was deleted.
  const found = (which: 'exclude' | 'only', alias: string): string => {
    const { from, where } = writer.source(entity, alias, which);
    const conditions = [`${alias}."id" = any(${list})`, ...where].join(' and ');
    return `select ${alias}."id"::text, ${alias}."version"::text, ${which === 'only'} from ${from} where ${conditions}`;
  };
  return {
    text: entity.softDelete ? `${found('exclude', 'x')} union all ${found('only', 'y')}` : found('exclude', 'x'),
    values: binds.sources.map((source) => bindValue(source, { principal: scope.principal })),
  };
}
