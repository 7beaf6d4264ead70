/** The look for duplicates that a creation takes along, in its own batch. */
import type { Sender } from '#engine/db/sender.ts';
import type { Entity } from '#engine/model/model.ts';
import type { ProblemDetail } from '#engine/problem.ts';
import { Problem } from '#engine/problem.ts';
import { Binds } from '../read/binds.ts';
import type { Scope } from '../scope.ts';
import type { Plan } from '../write/plan.ts';
import { type Candidate, candidates, candidatesSql, statement } from './candidates.ts';
import { comparisonsOf } from './draft.ts';

/**
 * What to do about probable duplicates: `refuse` looks by every rule, `ignore` by none; without a word by the rules that
 * refuse by themselves.
 */
export type DuplicateWish = 'refuse' | 'ignore';

/** The plan of a creation with the look before it, when there is one to take. */
export function refuseDuplicates<P extends Plan>(
  database: Sender,
  scope: Scope,
  entity: Entity,
  body: unknown,
  wish: DuplicateWish | undefined,
  plan: P,
): P {
  if (wish === 'ignore' || entity.duplicates.length === 0 || scope.rights.of(entity.name).read.length === 0)
    return plan;
  const asked = comparisonsOf(scope, entity, body).filter(
    ({ rule }) => wish === 'refuse' || rule.onCreate === 'refuse',
  );
  if (asked.length === 0) return plan;
  const binds = new Binds();
  const found = candidatesSql(scope, entity, asked, null, binds);
  const look = statement(scope, `select armature.refuse('duplicates') where exists (select from (${found}) c)`, binds);
  return {
    ...plan,
    statements: [look, ...plan.statements],
    refused: async (refusal) => {
      if (refusal.code !== 'duplicates') return plan.refused(refusal);
      const rules = new Set(asked.map(({ rule }) => rule.key));
      const list = await candidates(database, scope, entity, body, null);
      const told = list.filter(({ reasons }) => reasons.some(({ rule }) => rules.has(rule)));
      return told.length === 0 ? 'again' : possibleDuplicate(entity, told);
    },
  };
}

function possibleDuplicate(entity: Entity, found: readonly Candidate[]): Problem {
  const details = found.slice(0, 10).map(
    ({ id, _title, score, reasons }): ProblemDetail => ({
      code: 'possible_duplicate',
      message: `“${_title ?? id}” may be the same: ${reasons.map(({ label }) => label).join(', ')}.`,
      pointer: '',
      params: { id, title: _title, score, rules: reasons.map(({ rule }) => rule) },
    }),
  );
  return new Problem(
    'possible_duplicate',
    `There may be a record of “${entity.label}” like this already. Send “Prefer: duplicates=ignore” to create it all the same.`,
    details,
  );
}
