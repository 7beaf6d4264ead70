/** Everything a publish is about to do, found out before anything is done. */
import type { PoolClient } from 'pg';
import { buildModel } from '../model/build.ts';
import type { ReleaseSource } from '../model/documents.ts';
import type { Tenant } from '../model/tenant.ts';
import { Problem, type ProblemDetail } from '../problem.ts';
import { checkRows, estimateRows } from './apply.ts';
import { type Change, inOrder } from './change.ts';
import { reconcile } from './deferred/pending.ts';
import { openSteps, type StepRow } from './deferred/store.ts';
import type { StepDraft } from './deferred/work.ts';
import { desiredState } from './desired.ts';
import { difference } from './diff.ts';
import { makePlan, type Plan } from './plan.ts';
import { loadState } from './release-store.ts';
import { settle } from './settle.ts';
import { locate } from './source.ts';
import type { DesiredState } from './state.ts';

/** Records from which on a table is changed without going through it in the transaction. */
const MANY = 5000;

export interface PrepareOptions {
  readonly deferAbove?: number;
  /** It will be done: steps stand still until the end of the transaction. */
  readonly publishing?: boolean;
}

export interface Prepared {
  readonly source: ReleaseSource;
  /** What the last publish left behind; `null` before the first. */
  readonly before: DesiredState | null;
  readonly state: DesiredState;
  readonly changes: readonly Change[];
  /** What is done afterwards, with the records there are about. */
  readonly drafts: readonly (StepDraft & { readonly total: number })[];
  /** Open steps of releases before that this one still wants, and those that it does not. */
  readonly kept: readonly StepRow[];
  readonly superseded: readonly StepRow[];
  readonly plan: Plan;
}

export type MakeSource = (client: PoolClient, tenant: Tenant, release: number) => Promise<ReleaseSource>;

export async function prepare(
  client: PoolClient,
  tenant: Tenant,
  release: number,
  make: MakeSource,
  { deferAbove = MANY, publishing = false }: PrepareOptions,
): Promise<Prepared> {
  const source = await make(client, tenant, release);
  const wanted = desiredState(tenant, buildModel(source));
  // The steps first: as long as they are locked, none of them changes what is compared.
  const steps = await openSteps(client, tenant, publishing);
  const stored = await loadState(client, tenant);
  const open = stored && reconcile(stored, settle(stored, wanted), steps);
  const before = open?.before ?? null;
  const { settled, changes } = located(source, () => difference(before, wanted));
  await checkRows(client, changes, source);
  const rows = before === null ? new Map<string, number>() : await estimateRows(client, before.schema);
  const rowsOf = (table: string) => rows.get(before?.tables[table]?.name ?? '') ?? 0;
  const split = defer(changes, (table) => rowsOf(table) > deferAbove);
  const all = inOrder([...(open?.changes ?? []), ...split.changes]);
  return {
    source,
    before: stored,
    state: settled,
    changes: all,
    drafts: split.drafts.map((draft) => ({ ...draft, total: rowsOf(draft.work.table) })),
    kept: open?.kept ?? [],
    superseded: open?.superseded ?? [],
    plan: makePlan(release, all, rowsOf, split.drafts),
  };
}

/** What would go through a table of many records is left for afterwards. */
function defer(
  changes: readonly Change[],
  many: (table: string) => boolean,
): { readonly changes: readonly Change[]; readonly drafts: readonly StepDraft[] } {
  const drafts: StepDraft[] = [];
  const kept = changes.flatMap((one): Change[] => {
    if (one.later === null || one.table === null || !many(one.table)) return [one];
    drafts.push(...one.later.steps);
    // The questions about the rows are asked all the same.
    return one.later.now.length === 0 ? [] : [{ ...one, sql: one.later.now, lock: 'exclusive', work: 'none' }];
  });
  return { changes: kept, drafts };
}

/** Refusals know the field; here they get the place in the documents. */
function located<T>(source: ReleaseSource, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'invalid_document') throw error;
    throw new Problem(
      'invalid_document',
      error.message,
      error.errors.map((detail) => place(source, detail)),
      { cause: error },
    );
  }
}

function place(
  source: ReleaseSource,
  detail: ProblemDetail & { readonly entity?: string; readonly field?: string | null },
): ProblemDetail {
  const { entity, field, ...rest } = detail;
  return entity === undefined ? rest : { ...rest, ...locate(source, entity, field ?? null, null) };
}
