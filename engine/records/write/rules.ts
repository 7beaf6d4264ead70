/**
 * Rules that a record does not keep, in words. New records are looked at before they are sent, as far as a rule looks
 * at nothing but the record itself; for everything else the row trigger answers, with the ids of the rules.
 */
import { type DatabaseError, isDatabaseError } from '#engine/db/database-error.ts';
import type { StatementResult } from '#engine/db/execute.ts';
import { evaluate } from '#engine/condition/evaluate.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Rule } from '#engine/model/parts.ts';
import { textKey, translator } from '#engine/model/texts.ts';
import type { ProblemDetail } from '#engine/problem.ts';
import { Problem } from '#engine/problem.ts';
import { RULES_BROKEN } from '#engine/schema/rules.ts';
import type { Scope } from '../scope.ts';
import type { NewRow } from './insert.ts';
import { looksAtItself, newRecord } from './new-record.ts';

/** What is said with a record that was stored all the same. */
export interface Warning extends ProblemDetail {
  /** Of which record, where several were written. */
  readonly record: string;
}

/** Refusals that can be told without asking the database. Rules behind a flag are the database's. */
export function brokenRules(scope: Scope, entity: Entity, row: NewRow): readonly ProblemDetail[] {
  const rules = scope.model.rules.get(entity.name);
  if (!rules) return [];
  const decidable = rules.filter(
    ({ severity, flag, broken }) => severity === 'error' && flag === null && looksAtItself(entity, broken),
  );
  if (decidable.length === 0) return [];
  const { record, context } = newRecord(scope, row);
  return decidable
    .filter(({ broken }) => evaluate(broken, record, context))
    .map((rule) => detailOf(scope, rule, row.pointer));
}

/** The refusal that the row trigger raised, `null` when it is another error. */
export function ruleProblem(
  error: unknown,
  scope: Scope,
  pointerOf: (record: string) => string | undefined = () => '',
): Problem | null {
  if (!isDatabaseError(error) || error.code !== RULES_BROKEN) return null;
  const details = told(error.message, scope, pointerOf).map(({ record: _record, ...detail }) => detail);
  return new Problem('invalid', details[0]?.message ?? 'A rule does not allow this.', details, {
    cause: error satisfies DatabaseError,
  });
}

/** What the statements of a batch gave notice of. */
export function warningsOf(
  results: readonly StatementResult[],
  scope: Scope,
  pointerOf: (record: string) => string | undefined,
): readonly Warning[] {
  const all = results.flatMap(({ notices }) => (notices ?? []).flatMap((text) => told(text, scope, pointerOf)));
  // A record that is written twice in one request (with its parts) is warned about once.
  return [...new Map(all.map((warning) => [JSON.stringify(warning), warning])).values()];
}

/** From the trigger's `{"record": …, "rules": […]}` to sentences. A rule that is no longer there says nothing. */
function told(text: string, scope: Scope, pointerOf: (record: string) => string | undefined): readonly Warning[] {
  const json: unknown = JSON.parse(text);
  if (typeof json !== 'object' || json === null || !('rules' in json) || !Array.isArray(json.rules)) return [];
  const record = 'record' in json ? String(json.record) : '';
  const ids = new Set(json.rules.map(String));
  return [...scope.model.rules.values()]
    .flat()
    .filter(({ id }) => ids.has(id))
    .map((rule) => ({ ...detailOf(scope, rule, pointerOf(record) ?? ''), record }));
}

function detailOf(scope: Scope, rule: Rule, pointer: string): ProblemDetail {
  const translate = translator(scope.model, scope.principal.locale);
  const { readableFields } = scope.rights.of(rule.entity);
  const field = rule.field !== null && readableFields.has(rule.field) ? `/${rule.field}` : '';
  return {
    code: 'rule',
    message: translate(textKey.rule(rule.name), rule.message),
    pointer: `${pointer}${field}`,
    params: { rule: rule.name },
  };
}
