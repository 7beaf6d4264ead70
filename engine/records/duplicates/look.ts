/** One look for records like any of many drafts: a statement, whatever their number. */
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import { literal, qualified, quote } from '#engine/db/identifiers.ts';
import type { DuplicateRule } from '#engine/model/duplicates.ts';
import type { Entity } from '#engine/model/model.ts';
import { similarName } from '#engine/schema/duplicates.ts';
import { Binds } from '../read/binds.ts';
import { accessOf } from '../read/shapes.ts';
import { titleSql } from '../read/sql-select.ts';
import { SqlWriter } from '../read/sql-source.ts';
import type { Scope } from '../scope.ts';
import { statement } from './candidates.ts';
import { comparisonsOf } from './draft.ts';

export interface Draft {
  /** The record it becomes: never like itself. */
  readonly id: string;
  /** As for a creation. */
  readonly body: unknown;
  /** Where it stands in the request; '' for the only one. */
  readonly pointer: string;
}

/** A record that one of the drafts may be the same as. */
export interface Likeness {
  /** Position of the draft. */
  readonly draft: number;
  readonly id: string;
  readonly title: string | null;
  /** 0 to 1, of the rule that fits best. */
  readonly score: number;
  readonly rules: readonly DuplicateRule[];
}

/** Likenesses told at most. */
const LIMIT = 1000;

/** @returns the statement's FROM item with `(n, id, title, rule, score)`; `null` when nothing can be compared */
function likenesses(
  scope: Scope,
  entity: Entity,
  drafts: readonly Draft[],
  asked: (rule: DuplicateRule) => boolean,
  binds: Binds,
): string | null {
  const byRule = new Map<DuplicateRule, { readonly n: number; readonly values: readonly string[] }[]>();
  for (const [n, { body }] of drafts.entries()) {
    for (const { rule, values } of comparisonsOf(scope, entity, body)) {
      if (!asked(rule)) continue;
      const compared = byRule.get(rule) ?? [];
      byRule.set(rule, compared);
      compared.push({ n, values });
    }
  }
  if (byRule.size === 0) return null;
  const writer = new SqlWriter(accessOf(scope), binds, scope.tenant.names.schema, scope.predicates);
  const found = [...byRule].map(([rule, compared]) => {
    const columns = rule.match.map((_, at) =>
      binds.bind(
        compared.map(({ values }) => values[at] ?? ''),
        'text[]',
      ),
    );
    const selves = binds.bind(
      compared.map(({ n }) => drafts[n]?.id ?? ''),
      'uuid[]',
    );
    const places = binds.bind(
      compared.map(({ n }) => String(n)),
      'integer[]',
    );
    const names = columns.map((_, at) => `v${at}`);
    const alias = writer.alias('_d');
    const { from, where } = writer.source(entity, alias, 'exclude');
    const shown = rule.match.map(({ field }) => `${alias}.${quote(field)} is not null`);
    const like = `${qualified(scope.tenant.names.schema, similarName(entity))}(${literal(rule.key)}, array[${names.map((name) => `d.${name}`).join(', ')}], d.self)`;
    return `(select d.n, ${alias}."id", ${titleSql(entity, alias, writer)} as title, ${literal(rule.key)} as rule, f.score from unnest(${columns.join(', ')}, ${selves}, ${places}) d(${names.join(', ')}, self, n) cross join lateral ${like} f join ${from} on ${alias}."id" = f.record where ${[...shown, ...where].join(' and ')})`;
  });
  return `(${found.join(' union all ')}) c`;
}

/** Refuses `duplicates` with the positions of the drafts that are like a record; `null` when nothing can be compared. */
export function refusingLook(
  scope: Scope,
  entity: Entity,
  drafts: readonly Draft[],
  asked: (rule: DuplicateRule) => boolean,
): Statement | null {
  const binds = new Binds();
  const from = likenesses(scope, entity, drafts, asked, binds);
  if (from === null) return null;
  const text = `select armature.refuse('duplicates', json_agg(distinct c.n::text)) from ${from} having count(*) > 0`;
  return statement(scope, text, binds);
}

/** By every rule; read by {@link likenessesIn}. */
export function reportingLook(scope: Scope, entity: Entity, drafts: readonly Draft[]): Statement | null {
  const binds = new Binds();
  const from = likenesses(scope, entity, drafts, () => true, binds);
  if (from === null) return null;
  const each = `select c.n, c.id, max(c.title) as title, max(c.score) as score, array_agg(c.rule order by c.score desc, c.rule) as rules from ${from} group by c.n, c.id order by c.n, max(c.score) desc, c.id desc limit ${LIMIT}`;
  const text = `select json_agg(json_build_array(t.n, t.id, t.title, t.score, t.rules))::text from (${each}) t`;
  return statement(scope, text, binds);
}

/** E.g. `“Fir Ltd” may be the same: Same name.` */
export const likenessSentence = ({ id, title, rules }: Pick<Likeness, 'id' | 'title' | 'rules'>): string =>
  `“${title ?? id}” may be the same: ${rules.map(({ label }) => label).join(', ')}.`;

export function likenessesIn(entity: Entity, result: StatementResult | undefined): readonly Likeness[] {
  const rows: unknown = JSON.parse(result?.rows[0]?.[0] ?? '[]');
  if (!Array.isArray(rows)) return [];
  return rows.map((row: unknown): Likeness => {
    const [draft, id, title, score, keys]: readonly unknown[] = Array.isArray(row) ? row : [];
    const fitting = new Set(Array.isArray(keys) ? keys.map(String) : []);
    return {
      draft: Number(draft),
      id: String(id),
      title: typeof title === 'string' ? title : null,
      score: Math.round(Number(score) * 100) / 100,
      rules: entity.duplicates.filter(({ key }) => fitting.has(key)),
    };
  });
}
