/** A plan: the changes of a publish told to a person, step by step, before anything happens. */
import type { Change, ChangeKind, Lock, Risk } from './change.ts';
import type { ConversionPreview } from './convert/preview.ts';
import type { StepDraft } from './deferred/work.ts';

export interface PlanStep {
  readonly kind: ChangeKind;
  /** A sentence: `Rename field Region to Territory on Account`. */
  readonly title: string;
  readonly why: string;
  /** The SQL of this step, in the order in which it runs (other steps' SQL may run in between). */
  readonly sql: readonly string[];
  /** What others wait for while it runs: `share` stops writes to the table, `exclusive` reads as well. */
  readonly lock: Lock;
  /** Estimated duration; absent when it does not depend on the number of records. */
  readonly seconds?: number;
  /** Estimated records of the table. */
  readonly rows: number;
  readonly risk: Risk;
  /** Whether a rollback brings back what it changes. */
  readonly reversible: boolean;
  /** Done after the publish, beside everybody's work: nobody waits for it. */
  readonly deferred?: true;
}

export interface Plan {
  /** Release it is based on. */
  readonly base: number;
  /** Number the release will have. */
  readonly next: number;
  readonly steps: readonly PlanStep[];
  readonly warnings: readonly string[];
  /** What becomes of the values of fields whose type changes. */
  readonly conversions?: readonly ConversionPreview[];
}

/** Rows a second that Postgres checks, indexes or writes on modest hardware: for an order of magnitude, not a promise. */
const SPEED = { none: Number.POSITIVE_INFINITY, scan: 1_000_000, write: 100_000 } as const;

/** From this many records on a step that touches each of them is worth a warning. */
export const MANY_ROWS = 50_000;

const LOCKS: readonly Lock[] = ['none', 'share', 'exclusive'];
const RISKS: readonly Risk[] = ['none', 'low', 'medium', 'high'];

/**
 * @param changes in the order in which they run
 * @param rowsOf estimated number of records of a table, by table id
 * @param drafts what is done afterwards
 */
export function makePlan(
  base: number,
  changes: readonly Change[],
  rowsOf: (table: string) => number,
  drafts: readonly StepDraft[] = [],
): Plan {
  const groups = Map.groupBy(changes, (one) => JSON.stringify([one.table, one.title]));
  const steps = [
    ...[...groups.values()].map((group) => stepOf(group, rowsOf)),
    ...drafts.map((draft) => deferredStep(draft, rowsOf)),
  ];
  return Object.freeze({ base, next: base + 1, steps, warnings: warningsOf(steps) });
}

function deferredStep({ work, title, why, change, sql }: StepDraft, rowsOf: (table: string) => number): PlanStep {
  const rows = rowsOf(work.table);
  const seconds = Math.round((rows / SPEED[work.kind === 'fill' ? 'write' : 'scan']) * 100) / 100;
  return { kind: change, title, why, sql, lock: 'none', seconds, rows, risk: 'none', reversible: true, deferred: true };
}

function stepOf(group: readonly Change[], rowsOf: (table: string) => number): PlanStep {
  const [first] = group;
  if (!first) throw new TypeError('a step has at least one change');
  const main = group.find((one) => MAIN.has(one.kind)) ?? first;
  const rows = main.table === null ? 0 : rowsOf(main.table);
  const seconds = group.reduce((sum, one) => sum + rows / SPEED[one.work], 0);
  return {
    kind: main.kind,
    title: main.title,
    why: main.why,
    sql: group.flatMap((one) => one.sql),
    lock: LOCKS[Math.max(...group.map((one) => LOCKS.indexOf(one.lock)))] ?? 'exclusive',
    ...(seconds > 0 ? { seconds: Math.round(seconds * 100) / 100 } : {}),
    rows,
    risk: RISKS[Math.max(...group.map((one) => RISKS.indexOf(one.risk)))] ?? 'high',
    reversible: group.every((one) => one.reversible),
  };
}

/** The change that says best what a step is about. */
const MAIN: ReadonlySet<ChangeKind> = new Set<ChangeKind>([
  'create_role',
  'drop_role',
  'create_table',
  'rename_table',
  'set_table_aside',
  'return_table',
  'add_column',
  'rename_column',
  'set_column_aside',
  'return_column',
  'change_type',
]);

function warningsOf(steps: readonly PlanStep[]): readonly string[] {
  const long = steps.filter((step) => step.rows > MANY_ROWS && step.seconds !== undefined && step.lock !== 'none');
  const total = Math.ceil(long.reduce((sum, step) => sum + (step.seconds ?? 0), 0));
  return [
    ...long.map((step) => {
      const waits =
        step.lock === 'exclusive' ? 'reads and writes of these records wait' : 'writes to these records wait';
      return `“${step.title}” goes through about ${step.rows.toLocaleString('en')} records: ${waits} for about ${Math.ceil(step.seconds ?? 0)} s.`;
    }),
    ...(long.length > 1
      ? [`All of it happens at once or not at all: what it locks stays locked until the end, about ${total} s.`]
      : []),
    ...steps
      .filter((step) => step.risk === 'high')
      .map((step) => `“${step.title}” takes something away that people may be using.`),
  ];
}
