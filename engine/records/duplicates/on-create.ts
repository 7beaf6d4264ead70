/** The look for duplicates that a creation takes along, in its own batch: of one record, of a list, of an upsert. */
import type { Sender } from '#engine/db/sender.ts';
import type { DuplicateRule } from '#engine/model/duplicates.ts';
import type { Entity } from '#engine/model/model.ts';
import type { ProblemDetail } from '#engine/problem.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import type { Plan } from '../write/plan.ts';
import { candidates } from './candidates.ts';
import { type Draft, likenessesIn, likenessSentence, refusingLook, reportingLook } from './look.ts';

/**
 * What to do about probable duplicates: `refuse` looks by every rule, `ignore` by none, `report` creates and tells what
 * every rule finds, others of the same request among it; without a word the rules that refuse by themselves do.
 */
export type DuplicateWish = 'refuse' | 'report' | 'ignore';

/** The plan of creations with the look at them, when there is one to take. */
export function withDuplicates<P extends Plan>(
  database: Sender,
  scope: Scope,
  entity: Entity,
  drafts: readonly Draft[],
  wish: DuplicateWish | undefined,
  plan: P,
): P {
  if (wish === 'ignore' || entity.duplicates.length === 0 || scope.rights.of(entity.name).read.length === 0)
    return plan;
  if (wish === 'report') return reporting(scope, entity, drafts, plan);
  const asked = (rule: DuplicateRule) => wish === 'refuse' || rule.onCreate === 'refuse';
  const look = refusingLook(scope, entity, drafts, asked);
  if (!look) return plan;
  return {
    ...plan,
    statements: [look, ...plan.statements],
    refused: async (refusal) => {
      if (refusal.code !== 'duplicates') return plan.refused(refusal);
      const details: ProblemDetail[] = [];
      for (const place of refusal.ids.map(Number).toSorted((a, b) => a - b)) {
        const draft = drafts[place];
        if (!draft || details.length >= TOLD) break;
        const list = await candidates(database, scope, entity, draft.body, null);
        for (const { id, _title: title, score, reasons } of list) {
          const rules = entity.duplicates.filter((rule) => reasons.some((reason) => reason.rule === rule.key));
          if (rules.some(asked)) details.push(detailOf(draft.pointer, { id, title, score, rules }));
        }
      }
      return details.length === 0 ? 'again' : possibleDuplicate(entity, details.slice(0, TOLD));
    },
  };
}

/** Candidates told with a refusal. */
const TOLD = 10;

/** Looked at once they are there: then those of one request are found to be like each other. */
function reporting<P extends Plan>(scope: Scope, entity: Entity, drafts: readonly Draft[], plan: P): P {
  const look = reportingLook(scope, entity, drafts);
  if (!look) return plan;
  const at = plan.statements.length;
  return {
    ...plan,
    statements: [...plan.statements, look],
    told: (results) =>
      likenessesIn(entity, results[at]).map(({ draft, ...found }) => ({
        ...detailOf(drafts[draft]?.pointer ?? '', found),
        record: drafts[draft]?.id ?? '',
      })),
  };
}

interface Found {
  readonly id: string;
  readonly title: string | null;
  readonly score: number;
  readonly rules: readonly DuplicateRule[];
}

function detailOf(pointer: string, { id, title, score, rules }: Found): ProblemDetail {
  return {
    code: 'possible_duplicate',
    message: likenessSentence({ id, title, rules }),
    pointer,
    params: { id, title, score, rules: rules.map(({ key }) => key) },
  };
}

function possibleDuplicate(entity: Entity, details: readonly ProblemDetail[]): Problem {
  return new Problem(
    'possible_duplicate',
    `There may be a record of “${entity.label}” like this already. Send “Prefer: duplicates=ignore” to create it all the same.`,
    details,
  );
}
