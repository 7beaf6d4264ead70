/**
 * A statement of one shape: constant text with a gap for what narrows a single query. Everything but the gap is written
 * once and kept; the parameters of the gap are numbered after those of the rest.
 */
import type { Condition } from '../../condition/condition.ts';
import { isTrue } from '../../condition/simplify.ts';
import type { Entity } from '../../model/model.ts';
import type { Access } from './access.ts';
import type { BindSource } from './binds.ts';
import { Binds } from './binds.ts';
import { Joins, SqlWriter } from './sql-source.ts';

export interface Template {
  /** Each has the gap; most statements have one. */
  readonly branches: readonly Branch[];
  readonly tail: string;
  readonly sources: readonly BindSource[];
  /** The joins that stand in every `head`, to be used by the gap as well. */
  readonly joins: Joins;
}

export interface Branch {
  /** Up to the end of FROM. Further joins go behind it. */
  readonly head: string;
  /** ` where …`; further conditions go behind it. */
  readonly where: string;
}

/** The alias of the record in every template that has a gap. */
export const RECORD = 'x';

export interface Surroundings {
  readonly access: Access;
  readonly schema: string;
  readonly predicates: boolean;
}

/** A template with its gap filled: text, and where the parameters of the gap come from. */
export interface Filled {
  readonly text: string;
  readonly sources: readonly BindSource[];
}

/** Aliases of the gap must not meet those of the rest. */
const FIRST_ALIAS = 1000;

/** @param condition what narrows this query; {@link import('../../condition/condition.ts').TRUE} for nothing */
export function fill(template: Template, entity: Entity, condition: Condition, around: Surroundings): Filled {
  const { branches, tail } = template;
  if (isTrue(condition)) return { text: written(branches, '', '', tail), sources: [] };
  const binds = new Binds(template.sources.length);
  const writer = new SqlWriter(around.access, binds, around.schema, around.predicates, FIRST_ALIAS);
  const joins = new Joins(writer, template.joins);
  const filter = writer.filter(condition, entity, RECORD, joins);
  return { text: written(branches, joins.sql, ` and ${filter}`, tail), sources: binds.sources };
}

function written(branches: readonly Branch[], joins: string, filter: string, tail: string): string {
  return branches.map(({ head, where }) => head + joins + where + filter).join('') + tail;
}

/** What always narrows: rows that may be read, the view, the search. */
export function whereOf(conditions: readonly string[]): string {
  return ` where ${conditions.length === 0 ? 'true' : conditions.join(' and ')}`;
}
