/**
 * Deleting and restoring. A deleted record is marked, not gone: what it was referred to by keeps its value, and
 * restoring brings it back. Entities without `softDelete` keep their records; only parts of a record are really deleted.
 */
import type { Sender } from '#engine/db/sender.ts';
import type { Statement } from '#engine/db/execute.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import { notFound, Problem } from '#engine/problem.ts';
import { recordId } from '../record-id.ts';
import type { Scope } from '../scope.ts';
import type { Change, Versions } from './change.ts';
import { andVersion, changeStatement } from './change.ts';
import type { Target } from './change-many.ts';
import { changeManyStatement, sameVersion, targetSource } from './change-many.ts';
import { diagnose, requireGrants } from './diagnose.ts';
import type { Plan } from './plan.ts';
import { andAll, andReadable, pairedPredicates } from './predicate.ts';
import { andLive, column, Parameters, tableOf } from './sql.ts';

interface Link {
  readonly entity: Entity;
  readonly field: Field;
}

type Links = Record<'restrict' | 'clear' | 'cascade', Link[]>;

/** References to the entity, by what a delete does. Parts go with their whole whatever they say. */
function linksTo(scope: Scope, entity: Entity): Links {
  const links: Links = { restrict: [], clear: [], cascade: [] };
  for (const from of scope.model.entities.values()) {
    for (const field of from.fields.values()) {
      if (field.reference?.entity !== entity.name || field.column === null || field.system) continue;
      const part = from.parent?.entity === entity.name && from.parent.field === field.key;
      links[part ? 'cascade' : field.reference.onDelete].push({ entity: from, field });
    }
  }
  return links;
}

/** @throws Problem `not_found`, `forbidden`, `method_not_allowed` for records that are kept for good */
export function planRemove(sender: Sender, scope: Scope, entity: Entity, id: string, version: Versions): Plan {
  const record = recordId(id);
  requireDeletable(scope, entity);
  const change = markOf(scope, entity, record, version, 'armature.now()', false);
  const links = linksTo(scope, entity);
  if (!entity.softDelete) {
    return {
      entity,
      statements: [...restrictStatements(scope, links.restrict, [record]), deleteStatement(scope, entity, change)],
      refused: async (refusal) => {
        const { problem } = await diagnose(sender, scope, entity, { ...change, deleted: false, verb: 'delete' });
        // Only who may see the part learns what refers to it.
        if (refusal.code === 'referenced' && problem?.code !== 'not_found') return stillReferenced(scope, refusal.ids);
        return problem ?? 'again';
      },
    };
  }
  return {
    entity,
    statements: [changeStatement(scope, entity, change), ...consequences(scope, entity, links, [record])],
    refused: async (refusal) => {
      if (refusal.code === 'referenced') return stillReferenced(scope, refusal.ids);
      const { problem } = await diagnose(sender, scope, entity, { ...change, deleted: false, verb: 'delete' });
      return problem ?? 'again';
    },
  };
}

/** What deleting these records means for those that refer to them. */
function consequences(scope: Scope, entity: Entity, links: Links, ids: readonly string[]): Statement[] {
  return [
    ...restrictStatements(scope, links.restrict, ids),
    ...links.clear.flatMap((link) => clearStatement(scope, link, ids)),
    ...links.cascade.flatMap((link) => cascadeStatement(scope, entity, link, ids)),
  ];
}

/**
 * Deletes records that were found a moment ago, in the same transaction. The first statement refuses `unmatched`, the
 * others `referenced`.
 * @throws Problem as {@link planRemove}
 */
export function removeManyStatements(scope: Scope, entity: Entity, targets: readonly Target[]): Statement[] {
  requireDeletable(scope, entity);
  const ids = targets.map(({ id }) => id);
  const links = linksTo(scope, entity);
  if (!entity.softDelete)
    return [...restrictStatements(scope, links.restrict, ids), deleteManyStatement(scope, entity, targets)];
  const mark = changeManyStatement(scope, entity, {
    source: (parameters) => targetSource(targets, parameters),
    conditions: () => [sameVersion],
    grants: scope.rights.of(entity.name).delete,
    fields: [],
    skipEqual: false,
    assignments: () => [{ column: 'deleted_at', value: 'armature.now()' }],
  });
  return [mark, ...consequences(scope, entity, links, ids)];
}

function deleteManyStatement(scope: Scope, entity: Entity, targets: readonly Target[]): Statement {
  const parameters = new Parameters();
  const source = targetSource(targets, parameters);
  const granted = pairedPredicates(scope, scope.rights.of(entity.name).delete, [], 'x', parameters);
  return {
    text: `with r as materialized (select * from ${source}), gone as (delete from ${tableOf(scope, entity)} x using r where x.id = r.id and ${sameVersion}${andAll(granted)} returning x.id) select armature.refuse('unmatched', json_agg(r.id)) from r where not exists (select from gone where gone.id = r.id) having count(*) > 0`,
    values: parameters.values,
  };
}

/** Brings a deleted record back, with the parts that went with it. */
export function planRestore(sender: Sender, scope: Scope, entity: Entity, id: string, version: Versions): Plan {
  const record = recordId(id);
  requireDeletable(scope, entity);
  if (!entity.softDelete) throw notFound();
  const change = markOf(scope, entity, record, version, 'null::timestamptz', true);
  return {
    entity,
    statements: [
      ...linksTo(scope, entity).cascade.flatMap((link) => reviveStatement(scope, entity, link, record)),
      changeStatement(scope, entity, change),
    ],
    refused: async () => {
      const { problem } = await diagnose(sender, scope, entity, { ...change, deleted: true, verb: 'restore' });
      return problem ?? 'again';
    },
  };
}

function requireDeletable(scope: Scope, entity: Entity): void {
  requireGrants(scope, entity, scope.rights.of(entity.name).delete, 'delete');
  if (entity.softDelete || entity.parent) return;
  throw new Problem('method_not_allowed', `Records of “${entity.label}” are kept for good; they cannot be deleted.`);
}

/** A part, which has no bin: it is gone. */
function deleteStatement(scope: Scope, entity: Entity, { id, version, grants }: Change): Statement {
  const parameters = new Parameters();
  const which = `x.id = ${parameters.bind(id, 'uuid')}`;
  const same = andVersion(version, parameters);
  const granted = pairedPredicates(scope, grants, [], 'x', parameters);
  return {
    text: `with gone as (delete from ${tableOf(scope, entity)} x where ${which}${same}${andAll(granted)} returning 1) select armature.refuse('unmatched') where not exists (select from gone)`,
    values: parameters.values,
  };
}

function markOf(scope: Scope, entity: Entity, id: string, version: Versions, value: string, deleted: boolean): Change {
  return {
    id,
    version,
    deleted,
    grants: scope.rights.of(entity.name).delete,
    fields: [],
    skipEqual: false,
    assignments: () => [{ column: 'deleted_at', value }],
  };
}

/** Refuses (`referenced`, details: `entity count`) while records the principal may see refer to this one. */
function restrictStatements(scope: Scope, links: readonly Link[], ids: readonly string[]): Statement[] {
  const parameters = new Parameters();
  const records = parameters.bind(ids, 'uuid[]');
  const counts = links.flatMap(({ entity, field }) => {
    if (scope.rights.of(entity.name).read.length === 0) return [];
    const name = parameters.bind(entity.name, 'text');
    const where = `x.${column(field)} = any(${records})${andLive(entity, 'x')}${andReadable(scope, entity, 'x', parameters)}`;
    return [
      `select ${name} as entity, count(*) as n from (select from ${tableOf(scope, entity)} x where ${where} limit 1001) c`,
    ];
  });
  if (counts.length === 0) return [];
  return [
    {
      text: `select armature.refuse('referenced', json_agg(r.entity || ' ' || r.n)) from (${counts.join(' union all ')}) r where r.n > 0 having count(*) > 0`,
      values: parameters.values,
    },
  ];
}

export function stillReferenced(scope: Scope, found: readonly string[]): Problem {
  const counts = new Map<string, number>();
  for (const entry of found) {
    const [name = '', count = '0'] = entry.split(' ');
    counts.set(name, (counts.get(name) ?? 0) + Number(count));
  }
  const details = [...counts].map(([name, count]) => {
    const entity = scope.model.entities.get(name);
    const many = count > 1000 ? 'more than 1,000' : String(count);
    const what = count === 1 ? entity?.label : entity?.pluralLabel;
    return {
      code: 'still_referenced',
      message: `${many} ${what ?? name} still ${count === 1 ? 'refers' : 'refer'} to this record.`,
      params: { entity: name, count },
    };
  });
  return new Problem('still_referenced', details.map(({ message }) => message).join(' '), details);
}

/** Takes the reference out of the records that the principal may change; in others it keeps pointing at a deleted record, which reads as empty. */
function clearStatement(scope: Scope, { entity, field }: Link, ids: readonly string[]): Statement[] {
  const rights = scope.rights.of(entity.name);
  if (!rights.updatableFields.has(field.key)) return [];
  const parameters = new Parameters();
  const records = parameters.bind(ids, 'uuid[]');
  const granted = pairedPredicates(scope, rights.update, [field.key], 'x', parameters);
  return [
    {
      text: `update ${tableOf(scope, entity)} x set ${column(field)} = null where x.${column(field)} = any(${records})${andLive(entity, 'x')}${andAll(granted)}`,
      values: parameters.values,
    },
  ];
}

/** Parts without a bin of their own stay where they are: nobody reaches them but through their whole. */
function cascadeStatement(scope: Scope, whole: Entity, link: Link, ids: readonly string[]): Statement[] {
  return markDependents(scope, whole, link, ids, 'armature.now()', 'x.deleted_at is null');
}

/** What was deleted in the same moment as the whole comes back with it. */
function reviveStatement(scope: Scope, whole: Entity, link: Link, id: string): Statement[] {
  const moment = `(select w.deleted_at from ${tableOf(scope, whole)} w where w.id = x.${column(link.field)})`;
  return markDependents(scope, whole, link, [id], 'null', `x.deleted_at = ${moment}`);
}

/** Sets `deleted_at` of the records that go with `whole`: its parts, and others that the principal may delete. */
function markDependents(
  scope: Scope,
  whole: Entity,
  { entity, field }: Link,
  ids: readonly string[],
  value: string,
  which: string,
): Statement[] {
  if (!entity.softDelete) return [];
  const part = entity.parent?.entity === whole.name;
  const grants = scope.rights.of(entity.name).delete;
  if (!part && grants.length === 0) return [];
  const parameters = new Parameters();
  const records = parameters.bind(ids, 'uuid[]');
  const granted = part ? [] : pairedPredicates(scope, grants, [], 'x', parameters);
  return [
    {
      text: `update ${tableOf(scope, entity)} x set deleted_at = ${value} where x.${column(field)} = any(${records}) and ${which}${andAll(granted)}`,
      values: parameters.values,
    },
  ];
}
