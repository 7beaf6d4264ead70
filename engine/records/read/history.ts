/**
 * What happened to a record. The history table has one row for each changed field; its row policies show only fields
 * that may be read of records that may be read, and the statement asks for the same once more.
 */
import type { Statement, StatementResult } from '../../db/execute.ts';
import { fit, qualified, quote } from '../../db/identifiers.ts';
import type { Condition } from '../../condition/condition.ts';
import { isTrue } from '../../condition/simplify.ts';
import { waysOf } from '../../model/any-ways.ts';
import type { Entity, Field } from '../../model/model.ts';
import { notFound } from '../../problem.ts';
import type { Scope } from '../scope.ts';
import type { BindSource } from './binds.ts';
import { bindValue, Binds } from './binds.ts';
import { titleSql } from './sql-select.ts';
import { accessOf, Shapes } from './shapes.ts';
import { SqlWriter } from './sql-source.ts';
import { whereOf } from './template.ts';

/** Changes told at most; the version in which the limit falls is still told whole. */
const LIMIT = 200;

const shapes = new Shapes<{ readonly text: string; readonly sources: readonly BindSource[] }>();

export class History {
  readonly statement: Statement;

  /** @throws Problem `not_found` when the entity may not be read or keeps no history */
  constructor(scope: Scope, entity: Entity, id: string) {
    const { text, sources } = shapes.get(scope, entity, scope.principal.locale, () => write(scope, entity));
    const values = { principal: scope.principal, id };
    this.statement = { text, values: sources.map((source) => bindValue(source, values)) };
  }

  /** @throws Problem `not_found` when the record may not be seen */
  body([result]: readonly StatementResult[]): string {
    const data = result?.rows[0]?.[0];
    if (typeof data !== 'string') throw notFound();
    return `{"data":${data}}`;
  }
}

function write(scope: Scope, entity: Entity): { text: string; sources: readonly BindSource[] } {
  const access = accessOf(scope);
  if (!entity.history || !access.of(entity).readable) throw notFound();
  const binds = new Binds();
  const writer = new SqlWriter(access, binds, scope.tenant.names.schema, scope.predicates);
  const { visible, masks } = access.of(entity);
  const fields = [...entity.fields.values()].filter(
    (field) => (field.column !== null || field.many?.via === 'links') && visible(field),
  );
  const id = binds.once({ kind: 'id' }, 'uuid');
  const record = writer.source(entity, 'x', 'any');
  const names = fieldNames(fields, entity, scope, binds);
  const masked = scope.predicates
    ? [...maskedFields(fields, masks, entity, writer), ...hiddenLinks(fields, writer)]
    : [];
  const narrowed = [...masked, ...hiddenWays(fields, writer)];
  const change = `select h.at, h.version, h.actor, h.id, f.key as field, f.label, ${linked('h.old', fields, writer)} as old, ${linked('h.new', fields, writer)} as new from ${qualified(scope.tenant.names.schema, fit(`h_${entity.table}`))} h join ${names} on f.id = h.field_id${whereOf([`h.record_id = ${id}`, ...narrowed])} order by h.version desc fetch first ${LIMIT} rows with ties`;
  const entries = `select c.at, c.version, ${actorSql(scope, writer)} as actor, json_agg(json_build_object('field', c.field, 'label', c.label, 'old', c.old, 'new', c.new) order by c.id) as changes from (${change}) c group by c.at, c.version, c.actor order by c.version desc, c.at desc`;
  // A record without changes still answers; one that may not be seen does not.
  const text = `select coalesce((select json_agg(e) from (${entries}) e)::text, '[]') from ${record.from}${whereOf([`x."id" = ${id}`, ...record.where])}`;
  return { text, sources: binds.sources };
}

/** Id, key and label of the readable fields, as rows. */
function fieldNames(fields: readonly Field[], entity: Entity, scope: Scope, binds: Binds): string {
  const texts = scope.model.translations.get(scope.principal.locale);
  const list = (values: readonly string[]): string => binds.bind(values, 'text[]');
  const ids = list(fields.map((field) => field.id));
  const keys = list(fields.map((field) => field.key));
  const labels = list(fields.map((field) => texts?.get(`${entity.name}.${field.key}`) ?? field.label));
  return `unnest(${ids}, ${keys}, ${labels}) as f(id, key, label)`;
}

/** Fields that are shown on some records only: their changes too. The record as it is now decides. */
function maskedFields(
  fields: readonly Field[],
  masks: ReadonlyMap<string, Condition>,
  entity: Entity,
  writer: SqlWriter,
): string[] {
  return fields.flatMap((field) => {
    const mask = masks.get(field.key);
    if (mask === undefined) return [];
    const inner = writer.alias('_m');
    const holds = writer.rowCondition(mask, entity, inner);
    const id = writer.binds.once({ kind: 'id' }, 'uuid');
    const shown = `exists (select from ${writer.table(entity)} ${inner} where ${inner}."id" = ${id} and ${holds})`;
    return [`(h.field_id <> ${writer.binds.bind(field.id, 'text')} or ${shown})`];
  });
}

/** A value as it was kept; of a link the record at its other end, `{"id","_title"}`. */
function linked(value: string, fields: readonly Field[], writer: SqlWriter): string {
  const cases = fields.flatMap(({ id, many }) => {
    const target = many?.via === 'links' ? writer.access.lookup(many.entity) : undefined;
    if (target === undefined) return [];
    const alias = writer.alias('_h');
    const { from, where } = writer.source(target, alias, 'any');
    const found = [`${alias}."id" = (${value} #>> '{}')::uuid`, ...where].join(' and ');
    const record = `select ${alias}."id", ${titleSql(target, alias, writer)} as "_title" from ${from} where ${found}`;
    return [`when ${writer.binds.bind(id, 'text')} then (select to_jsonb(_o) from (${record}) _o)`];
  });
  for (const { field, target } of narrowedWays(fields, writer))
    cases.push(`when ${writer.binds.bind(field.id, 'text')} then ${seenId(value, target, writer)}`);
  return cases.length === 0 ? value : `case h.field_id ${cases.join(' ')} else ${value} end`;
}

/** A link is told of to whoever may see the record at its other end. */
function hiddenLinks(fields: readonly Field[], writer: SqlWriter): string[] {
  return fields.flatMap(({ id, many }) => {
    const target = many?.via === 'links' ? writer.access.lookup(many.entity) : undefined;
    if (target === undefined || isTrue(writer.access.of(target).predicate)) return [];
    const alias = writer.alias('_f');
    const { from, where } = writer.source(target, alias, 'any');
    const linked = `(coalesce(h.new, h.old) #>> '{}')::uuid`;
    const seen = [`${alias}."id" = ${linked}`, ...where].join(' and ');
    return [
      `case when h.field_id = ${writer.binds.bind(id, 'text')} then exists (select from ${from} where ${seen}) else true end`,
    ];
  });
}

/**
 * Of a reference to one of several entities, a change is told of to whoever may see the record that it pointed at before
 * or points at since: one of them that may not be seen is shown as none (see {@link linked}).
 */
function hiddenWays(fields: readonly Field[], writer: SqlWriter): string[] {
  return narrowedWays(fields, writer).map(({ field, target }) => {
    const seen = ['h.old', 'h.new'].map((value) => `${seenId(value, target, writer)} is not null`).join(' or ');
    return `(h.field_id <> ${writer.binds.bind(field.id, 'text')} or ${seen})`;
  });
}

function narrowedWays(
  fields: readonly Field[],
  writer: SqlWriter,
): readonly { readonly field: Field; readonly target: Entity }[] {
  return fields.flatMap((field) => {
    const target = writer.access.lookup(waysOf(field)[0]?.entity ?? '');
    return field.companionOf === null || field.reference === null || target === undefined ? [] : [{ field, target }];
  });
}

/** The id in a value that was kept, NULL when its record may not be seen. */
function seenId(value: string, target: Entity, writer: SqlWriter): string {
  // The database role of whoever reads nothing there may not even ask.
  if (!writer.access.of(target).readable) return 'null::jsonb';
  const alias = writer.alias('_w');
  const { from, where } = writer.source(target, alias, 'any');
  const found = [`${alias}."id" = (${value} #>> '{}')::uuid`, ...where].join(' and ');
  return `(select to_jsonb(${alias}."id") from ${from} where ${found})`;
}

/** `{"id","name"}` of the user, or null when it was no user, or one that may not be seen: then with the id alone. */
function actorSql(scope: Scope, writer: SqlWriter): string {
  const user = scope.model.entities.get('core.user');
  if (user === undefined || !writer.access.of(user).readable) {
    return `case when c.actor is not null then json_build_object('id', c.actor, 'name', null) end`;
  }
  const alias = writer.alias('_u');
  const { from, where } = writer.source(user, alias, 'any');
  const name = `(select ${titleSql(user, alias, writer)} from ${from} where ${[`${alias}.${quote('id')} = c.actor`, ...where].join(' and ')})`;
  return `case when c.actor is not null then json_build_object('id', c.actor, 'name', ${name}) end`;
}
