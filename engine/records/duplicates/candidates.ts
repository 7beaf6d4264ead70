/** Records that are like a draft, and records that are like each other; of both what the principal may read. */
import type { Sender } from '#engine/db/sender.ts';
import { sessionOf } from '#engine/db/database.ts';
import type { Statement } from '#engine/db/execute.ts';
import { literal, qualified, quote } from '#engine/db/identifiers.ts';
import type { DuplicateRule } from '#engine/model/duplicates.ts';
import type { Entity } from '#engine/model/model.ts';
import { textKey, translator } from '#engine/model/texts.ts';
import { notFound } from '#engine/problem.ts';
import { comparedSql, similarName } from '#engine/schema/duplicates.ts';
import { bindValue, Binds } from '../read/binds.ts';
import { accessOf } from '../read/shapes.ts';
import { titleSql } from '../read/sql-select.ts';
import { SqlWriter } from '../read/sql-source.ts';
import type { Scope } from '../scope.ts';
import { type Comparison, comparisonsOf, rulesOf } from './draft.ts';

/** Candidates, and groups, told at most. */
const LIMIT = 50;

export interface Candidate {
  readonly id: string;
  readonly _title: string | null;
  /** 0 to 1, of the rule that fits best. */
  readonly score: number;
  readonly reasons: readonly { readonly rule: string; readonly label: string; readonly fields: readonly string[] }[];
}

/** @returns ids of candidates, with the rule and the score: `(record, rule, score)`, as far as the principal may read */
export function candidatesSql(
  scope: Scope,
  entity: Entity,
  comparisons: readonly Comparison[],
  self: string | null,
  binds: Binds,
): string {
  const writer = new SqlWriter(accessOf(scope), binds, scope.tenant.names.schema, scope.predicates);
  return comparisons
    .map(({ rule, values }) => {
      const alias = writer.alias('_d');
      const { from, where } = writer.source(entity, alias, 'exclude');
      const shown = rule.match.map(({ field }) => `${alias}.${quote(field)} is not null`);
      const found = `${qualified(scope.tenant.names.schema, similarName(entity))}(${literal(rule.key)}, ${binds.bind(values, 'text[]')}, ${binds.bind(self, 'uuid')})`;
      return `(select ${alias}."id", ${titleSql(entity, alias, writer)} as title, ${literal(rule.key)} as rule, f.score from ${found} f join ${from} on ${alias}."id" = f.record where ${[...shown, ...where].join(' and ')})`;
    })
    .join(' union all ');
}

/**
 * @param body the draft, as for a creation; `id` names a record to leave out (itself, when it is there already)
 * @returns best first
 */
export async function candidates(
  database: Sender,
  scope: Scope,
  entity: Entity,
  body: unknown,
  self: string | null,
): Promise<readonly Candidate[]> {
  if (scope.rights.of(entity.name).read.length === 0) throw notFound();
  const comparisons = comparisonsOf(scope, entity, body);
  if (comparisons.length === 0) return [];
  const binds = new Binds();
  const text = `select c.id, max(c.title), max(c.score)::text, array_to_string(array_agg(c.rule order by c.score desc, c.rule), ' ') from (${candidatesSql(scope, entity, comparisons, self, binds)}) c group by c.id order by max(c.score) desc, count(*) desc, c.id desc limit ${LIMIT}`;
  const [result] = await database.batch(sessionOf(scope.principal), [statement(scope, text, binds)]);
  return (result?.rows ?? []).map(([id, title, score, rules]) => ({
    id: id ?? '',
    _title: title ?? null,
    score: Math.round(Number(score) * 100) / 100,
    reasons: (rules ?? '').split(' ').flatMap((key) => {
      const rule = entity.duplicates.find((one) => one.key === key);
      return rule
        ? [{ rule: rule.key, label: duplicateLabel(scope, entity, rule), fields: rule.match.map(({ field }) => field) }]
        : [];
    }),
  }));
}

/**
 * Groups of records that are the same by a rule without fuzzy fields, the largest first.
 * @returns `{"data":[{"rule","label","count","records":[{"id","_title"}]}]}`; of a large group the first 20
 */
export async function duplicateGroups(database: Sender, scope: Scope, entity: Entity): Promise<{ body: string }> {
  if (scope.rights.of(entity.name).read.length === 0) throw notFound();
  const rules = rulesOf(scope, entity).filter(({ match }) => match.every(({ how }) => how !== 'fuzzy'));
  if (rules.length === 0) return { body: '{"data":[]}' };
  const binds = new Binds();
  const writer = new SqlWriter(accessOf(scope), binds, scope.tenant.names.schema, scope.predicates);
  const groups = rules.map((rule) =>
    groupSql(entity, { ...rule, label: duplicateLabel(scope, entity, rule) }, writer, binds),
  );
  const text = `select coalesce(json_agg(json_build_object('rule', g.rule, 'label', g.label, 'count', g.n, 'records', g.records) order by g.n desc, g.first), '[]')::text from (select u.* from (${groups.join(' union all ')}) u order by u.n desc, u.first limit ${LIMIT}) g`;
  const [result] = await database.batch(sessionOf(scope.principal), [statement(scope, text, binds)]);
  return { body: `{"data":${result?.rows[0]?.[0] ?? '[]'}}` };
}

/** In the language of whoever asks. */
export function duplicateLabel({ model, principal }: Scope, entity: Entity, { key, label }: DuplicateRule): string {
  return translator(model, principal.locale)(textKey.duplicates(entity.name, key), label);
}

function groupSql(entity: Entity, rule: DuplicateRule, writer: SqlWriter, binds: Binds): string {
  const alias = writer.alias('_d');
  const { from, where } = writer.source(entity, alias, 'exclude');
  const compared = rule.match.map((one) => comparedSql(entity, one).replace('{}', `${alias}.${quote(one.field)}`));
  const values = compared.map((sql, index) => `${sql} as k${index}`).join(', ');
  const keys = compared.map((_, index) => `t.k${index}`);
  const rows = `select ${alias}."id", ${titleSql(entity, alias, writer)} as title, ${values} from ${from}${where.length === 0 ? '' : ` where ${where.join(' and ')}`}`;
  return `select ${binds.bind(rule.key, 'text')} as rule, ${binds.bind(rule.label, 'text')} as label, count(*) as n, min(t.id::text) as first, to_json((array_agg(json_build_object('id', t.id, '_title', t.title) order by t.id))[1:20]) as records from (${rows}) t where ${keys.map((key) => `${key} is not null`).join(' and ')} group by ${keys.join(', ')} having count(*) > 1`;
}

export function statement(scope: Scope, text: string, binds: Binds): Statement {
  return { text, values: binds.sources.map((source) => bindValue(source, { principal: scope.principal })) };
}
