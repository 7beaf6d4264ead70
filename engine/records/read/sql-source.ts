/**
 * Where records come from: a table under its row predicate, with masked fields as NULL, and the records that references
 * lead to. Everything above (filters, sorting, aggregates, cursors) sees only this.
 *
 * Without masks it is the table itself. With masks it is a subselect that Postgres pulls up, so that indexes on the
 * fields that are not masked still serve:
 *
 * ```sql
 * (select _t."id", _t."name", case when (…) then _t."amount" end as "amount" from "t_acme"."crm_opportunities" _t where …)
 * ```
 */
import type { Condition, FieldOperand, Step } from '../../condition/condition.ts';
import { apartFromShared } from '../../condition/shared.ts';
import { isTrue } from '../../condition/simplify.ts';
import type { Others, SqlTarget } from '../../condition/to-sql.ts';
import { conditionToSql } from '../../condition/to-sql.ts';
import { qualified, quote } from '../../db/identifiers.ts';
import { waysOf } from '../../model/any-ways.ts';
import type { Entity, Field } from '../../model/model.ts';
import { SQL_TYPE } from '../../model/value-type.ts';
import type { Access } from './access.ts';
import type { Binds } from './binds.ts';
import { anyPartSql, rollupSql } from './sql-derived.ts';

export type Deleted = 'exclude' | 'only' | 'any';

export interface Source {
  /** `"t_acme"."crm_accounts" x`, or the subselect and its alias. */
  readonly from: string;
  /** What must hold besides; true for all of them when empty. */
  readonly where: readonly string[];
}

/** How far a predicate follows the predicates of the records it looks at. Policies that go round in a circle are refused when published. */
const MAX_DEPTH = 4;

export class SqlWriter {
  readonly access: Access;
  readonly binds: Binds;
  /** The tenant's schema, not quoted. */
  readonly schema: string;
  /** Whether the permissions' conditions are written into the statement (see `Scope.predicates`). */
  readonly predicates: boolean;
  #aliases: number;

  /** @param aliases number of the last alias that is taken */
  constructor(access: Access, binds: Binds, schema: string, predicates: boolean, aliases = 0) {
    this.#aliases = aliases;
    this.access = access;
    this.binds = binds;
    this.schema = schema;
    this.predicates = predicates;
  }

  alias(prefix: string): string {
    this.#aliases += 1;
    return `${prefix}${this.#aliases}`;
  }

  table(entity: Entity): string {
    return qualified(this.schema, entity.table);
  }

  /** @param unconditional the rows are known to be visible, since a visible parent leads to them */
  source(entity: Entity, alias: string, deleted: Deleted, unconditional = false): Source {
    const { predicate } = this.access.of(entity);
    const seen = unconditional || !this.#asks(predicate) ? NO_CONDITIONS : [predicate];
    return this.#source(entity, alias, deleted, (inner) =>
      seen.map((condition) => this.rowCondition(condition, entity, inner)),
    );
  }

  /**
   * As {@link SqlWriter.source}, in parts that have no record in common: those that one sees by themselves, and those
   * that are shared. Each part of a sorted page can then be walked along an index.
   */
  sources(entity: Entity, alias: string, deleted: Deleted): readonly Source[] {
    const { predicate } = this.access.of(entity);
    const apart = this.#asks(predicate) ? apartFromShared(predicate) : null;
    if (apart === null) return [this.source(entity, alias, deleted)];
    const own = (inner: string): string => this.rowCondition(apart.own, entity, inner);
    return [
      this.#source(entity, alias, deleted, (inner) => [own(inner)]),
      this.#source(entity, alias, deleted, (inner) => [
        this.rowCondition(apart.shared, entity, inner),
        `(${own(inner)}) is not true`,
      ]),
    ];
  }

  #asks(predicate: Condition): boolean {
    return this.predicates && !isTrue(predicate);
  }

  /** @param conditions what records of the table must fulfil, told its alias */
  #source(entity: Entity, alias: string, deleted: Deleted, conditions: (alias: string) => readonly string[]): Source {
    const { masks, visible } = this.access.of(entity);
    const where = (inner: string): string[] => [...notDeleted(entity, inner, deleted), ...conditions(inner)];
    if (masks.size === 0) return { from: `${this.table(entity)} ${alias}`, where: where(alias) };
    const inner = this.alias('_t');
    const columns = [...entity.fields.values()]
      .filter(
        (field) => field.column !== null && (visible(field) || isKept(field) || field.key === entity.parent?.field),
      )
      .map((field) => {
        const column = `${inner}.${quote(field.key)}`;
        const mask = masks.get(field.key);
        return mask === undefined
          ? column
          : `case when ${this.rowCondition(mask, entity, inner)} then ${column} end as ${quote(field.key)}`;
      });
    const found = where(inner);
    const filter = found.length === 0 ? '' : ` where ${found.join(' and ')}`;
    return { from: `(select ${columns.join(', ')} from ${this.table(entity)} ${inner}${filter}) ${alias}`, where: [] };
  }

  /** A permission's condition over the raw columns of a table, as the row policy has it. */
  rowCondition(condition: Condition, entity: Entity, alias: string, depth = 0): string {
    return conditionToSql(condition, {
      alias: `${alias}.`,
      schema: quote(this.schema),
      mode: 'query',
      bind: this.binds.constant,
      user: this.binds.user,
      field: (operand) => this.#reach(operand, entity, alias, depth),
      others: (name) => this.related(name, depth),
    });
  }

  /** Records that a permission or a guard asks about beside its own: as the row policies of this reader show them. */
  related(name: string, depth = 0): Others {
    const entity = this.#entity(name);
    const alias = this.alias('_r');
    const { predicate } = this.access.of(entity);
    const implied = !this.predicates || depth >= MAX_DEPTH || isTrue(predicate);
    const target: SqlTarget = {
      alias: `${alias}.`,
      schema: quote(this.schema),
      mode: 'query',
      bind: this.binds.constant,
      user: this.binds.user,
      field: (operand) => this.#reach(operand, entity, alias, depth + 1),
      others: (inner) => this.related(inner, depth + 1),
    };
    return {
      alias,
      from: `${this.table(entity)} ${alias}`,
      where: implied ? [] : [this.rowCondition(predicate, entity, alias, depth + 1)],
      target,
      joins: () => '',
    };
  }

  /** References as scalar subselects: as under the row policies, a record that may not be seen gives NULL. */
  #reach({ steps, field }: FieldOperand, entity: Entity, alias: string, depth: number): string {
    let reached = `${alias}.${quote(steps[0]?.field ?? field)}`;
    let from = entity;
    for (const [index, step] of steps.entries()) {
      const target = this.target(step);
      const inner = this.alias('_r');
      const { predicate } = this.access.of(target);
      // The condition of a part was made from its parent's: it says by itself which parents may be seen.
      const implied = !this.predicates || depth >= MAX_DEPTH || isTrue(predicate) || from.parent?.field === step.field;
      const also = implied ? '' : ` and ${this.rowCondition(predicate, target, inner, depth + 1)}`;
      const column = quote(steps[index + 1]?.field ?? field);
      reached = `(select ${inner}.${column} from ${this.table(target)} ${inner} where ${inner}."id" = ${reached}${also})`;
      from = target;
    }
    return reached;
  }

  target(step: Step): Entity {
    return this.#entity(step.entity);
  }

  #entity(name: string): Entity {
    const entity = this.access.lookup(name);
    if (entity === undefined) throw new TypeError(`no entity ${name}`);
    return entity;
  }

  /** A filter of the reader's over what the reader sees: `alias` and the records joined to it. */
  filter(condition: Condition, entity: Entity, alias: string, joins: Joins): string {
    return conditionToSql(condition, this.seenTarget(entity, alias, joins));
  }

  /** What a reader's filter is written with: it looks at what the reader sees. */
  seenTarget(entity: Entity, alias: string, joins: Joins): SqlTarget {
    return {
      alias: `${alias}.`,
      schema: quote(this.schema),
      mode: 'query',
      bind: this.binds.bind,
      user: this.binds.user,
      period: ({ period, edge, type }) =>
        this.binds.once({ kind: 'period', period, edge, type }, type === 'date' ? 'date' : 'timestamptz'),
      field: (operand) => this.seen(operand, entity, alias, joins),
      others: (name) => this.#seenOthers(this.#entity(name)),
    };
  }

  /** Other records inside a filter: those that may be read and are not in the bin, masked as they are. */
  #seenOthers(entity: Entity): Others {
    const alias = this.alias('_m');
    const { from, where } = this.source(entity, alias, 'exclude');
    const joins = new Joins(this);
    return { alias, from, where, target: this.seenTarget(entity, alias, joins), joins: () => joins.sql };
  }

  /** As {@link SqlWriter.filter}, for a list of conditions: empty when it narrows nothing. */
  narrowing(condition: Condition, entity: Entity, alias: string, joins: Joins): string[] {
    return isTrue(condition) ? [] : [this.filter(condition, entity, alias, joins)];
  }

  /** What the reader sees of a field: NULL when it is hidden (the filter of a view may name such a field). */
  seen(operand: FieldOperand, entity: Entity, alias: string, joins: Joins): string {
    const last = operand.steps.at(-1);
    const place = last === undefined ? entity : this.target(last);
    const field = place.fields.get(operand.field);
    let at: Entity = entity;
    for (const step of operand.steps) {
      const reference = at.fields.get(step.field);
      if (reference === undefined || !this.access.of(at).visible(reference)) return `null::${SQL_TYPE[operand.type]}`;
      at = this.target(step);
    }
    if (field === undefined || !this.access.of(place).visible(field)) return `null::${SQL_TYPE[operand.type]}`;
    return joins.value(operand.steps, field, alias);
  }
}

const NO_CONDITIONS: readonly Condition[] = [];

function notDeleted(entity: Entity, alias: string, deleted: Deleted): string[] {
  return entity.softDelete && deleted !== 'any'
    ? [`${alias}."deleted_at" is ${deleted === 'only' ? 'not ' : ''}null`]
    : [];
}

/** Columns that statements need although nobody may have asked for them. */
function isKept(field: Field): boolean {
  return field.key === 'id' || field.key === 'version' || (field.system && field.key === 'deleted_at');
}

/** Records that references lead to, joined once each: `left join … j1 on j1."id" = x."account"`. */
export class Joins {
  readonly #writer: SqlWriter;
  readonly #known: Map<string, string>;
  readonly #own: string[] = [];

  /** @param given joins that the statement has already */
  constructor(writer: SqlWriter, given?: Joins) {
    this.#writer = writer;
    this.#known = new Map(given === undefined ? [] : given.#known);
  }

  /** @returns the alias at the end of the way */
  reach(steps: readonly Step[], alias: string): string {
    let reached = alias;
    let path = alias;
    for (const step of steps) {
      path = `${path}.${step.field}`;
      reached = this.#joined(path, reached, step.field, this.#writer.target(step));
    }
    return reached;
  }

  /** @returns the alias of what the reference of `reached` leads to */
  #joined(path: string, reached: string, reference: string, target: Entity): string {
    let joined = this.#known.get(path);
    if (joined === undefined) {
      joined = this.#writer.alias('_j');
      const { from, where } = this.#writer.source(target, joined, 'exclude');
      this.#own.push(
        ` left join ${from} on ${[`${joined}."id" = ${reached}.${quote(reference)}`, ...where].join(' and ')}`,
      );
      this.#known.set(path, joined);
    }
    return joined;
  }

  /** What the reader sees of a field at the end of the way; a value over a list of records is computed once beside it. */
  value(steps: readonly Step[], field: Field, alias: string): string {
    const reached = this.reach(steps, alias);
    if (waysOf(field).length > 0) {
      const place = [alias, ...steps.map((step) => step.field)].join('.');
      return anyPartSql(field, this.#writer.access, (way, target) => {
        const joined = this.#joined(`${place}.${way.field}`, reached, way.field, target);
        return `${joined}."id"`;
      });
    }
    if (field.derived?.kind !== 'rollup') return `${reached}.${quote(field.key)}`;
    const path = [alias, ...steps.map((step) => step.field), field.key].join('.');
    let joined = this.#known.get(path);
    if (joined === undefined) {
      joined = this.#writer.alias('_d');
      const value = rollupSql(field, field.derived.rollup, reached, this.#writer, new Joins(this.#writer));
      // A reference that leads nowhere leads to no value either, not to that of an empty list.
      const there = steps.length === 0 ? 'true' : `${reached}."id" is not null`;
      this.#own.push(` left join lateral ${value} ${joined} on ${there}`);
      this.#known.set(path, joined);
    }
    return `${joined}.v`;
  }

  /** The joins that were added here. */
  get sql(): string {
    return this.#own.join('');
  }
}
