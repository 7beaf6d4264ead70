/** Everything a publish is about to do, found out before anything is done. */
import type { PoolClient } from 'pg';
import { breathe } from '../breathe.ts';
import { buildModel } from '../model/build.ts';
import type { ReleaseSource } from '../model/documents.ts';
import type { Model } from '../model/model.ts';
import type { Tenant } from '../model/tenant.ts';
import { invalidAt, Problem, type ProblemDetail } from '../problem.ts';
import { checkRows, estimateRows } from './apply.ts';
import { type Change, inOrder } from './change.ts';
import {
  type Conversion,
  type ConversionsInput,
  findConversions,
  type OnFails,
  withConversions,
} from './convert/conversions.ts';
import type { Ready } from './convert/ahead.ts';
import { type ConversionPreview, preview } from './convert/preview.ts';
import { reconcile } from './deferred/pending.ts';
import { openSteps, type StepRow } from './deferred/store.ts';
import type { StepDraft } from './deferred/work.ts';
import { contextOf } from './context.ts';
import { desiredStateBesideOthers } from './desired.ts';
import { difference } from './diff.ts';
import type { Refusal } from './diff-columns.ts';
import { withoutRetyped } from './diff-rollups.ts';
import { makePlan, type Plan } from './plan.ts';
import { asideSince, loadSource, loadState, releaseBeforeAside } from './release-store.ts';
import { rulesBroken } from './rule-rows.ts';
import { settle } from './settle.ts';
import { locate } from './source.ts';
import type { DesiredState } from './state.ts';

/** Records from which on a table is changed without going through it in the transaction. */
const MANY = 5000;

export interface PrepareOptions {
  /** What becomes of values that a field's new type cannot take. */
  readonly onFail?: OnFails | undefined;
  /** Conversions that were made ahead for this publish. */
  readonly ready?: readonly Ready[];
  readonly deferAbove?: number;
  /** It will be done: steps stand still until the end of the transaction. */
  readonly publishing?: boolean;
}

export interface Prepared {
  readonly tenant: Tenant;
  readonly source: ReleaseSource;
  readonly wanted: DesiredState;
  /** What the last publish left behind; `null` before the first. */
  readonly before: DesiredState | null;
  readonly state: DesiredState;
  readonly changes: readonly Change[];
  /** What is done afterwards, with the records there are about. */
  readonly drafts: readonly (StepDraft & { readonly total: number })[];
  /** Open steps of releases before that this one still wants, and those that it does not. */
  readonly kept: readonly StepRow[];
  readonly superseded: readonly StepRow[];
  /** Fields whose type changes by more than a number's size; `ahead` where the table is large. */
  /** Keys of the roles of administrators. */
  readonly administrators: readonly string[];
  readonly conversions: readonly (Conversion & { readonly ahead: boolean; readonly total: number })[];
  readonly plan: Plan;
}

export type MakeSource = (client: PoolClient, tenant: Tenant, release: number) => Promise<ReleaseSource>;

export async function prepare(
  client: PoolClient,
  tenant: Tenant,
  release: number,
  make: MakeSource,
  { deferAbove = MANY, publishing = false, onFail = {}, ready = [] }: PrepareOptions,
): Promise<Prepared> {
  const source = await make(client, tenant, release);
  await breathe();
  const model = buildModel(source);
  await breathe();
  const wanted = await desiredStateBesideOthers(tenant, model);
  // The steps first: as long as they are locked, none of them changes what is compared.
  const steps = await openSteps(client, tenant, publishing);
  const stored = await loadState(client, tenant);
  const rows = stored === null ? new Map<string, number>() : await estimateRows(client, stored.schema);
  const rowsOf = (table: string) => rows.get(stored?.tables[table]?.name ?? '') ?? 0;
  const many = (table: string) => rowsOf(table) > deferAbove;
  const { conversions: found, refusals } = stored
    ? await findConversions({
        before: stored,
        wanted,
        next: model,
        ...whatWas(client, tenant, release),
        many,
        onFail,
      })
    : { conversions: [], refusals: [] };
  located(source, () => refuse(refusals));
  refuseUnknown(onFail, found);
  const conversions = found.map((one) => ({
    ...one,
    // Names are looked for among all records of the other entity.
    ahead: stored !== null && [one.table, one.target?.entity.id ?? one.table].some(many) && isQuiet(stored, one),
  }));
  const converted = new Set(conversions.map(({ column }) => column));
  await breathe();
  const open =
    stored && reconcile(stored, settle(stored, wanted), steps, { ready: ready.map(({ work }) => work), converted });
  const before = open && withConversions(withoutRetyped(open.before, stored, wanted), conversions);
  const modes = new Map(
    conversions.map(({ column, ahead, returns }) => [column, { ahead, spent: ahead ? returns : null }]),
  );
  const { settled, changes } = located(source, () => difference(before, wanted, modes));
  await checkRows(client, changes, source);
  const split = defer(changes, many);
  const all = inOrder([...(open?.changes ?? []), ...split.changes]);
  const plan = makePlan(release, all, rowsOf, split.drafts);
  // Of a field with another type, nobody knows before its values are there.
  const asked = stored && withoutTables(stored, new Set(conversions.map(({ table }) => table)));
  const broken = asked ? await rulesBroken(client, contextOf(tenant, model), asked, settled) : [];
  return {
    tenant,
    source,
    wanted,
    before: stored,
    state: settled,
    changes: all,
    drafts: split.drafts.map((draft) => ({ ...draft, total: rowsOf(draft.work.table) })),
    kept: open?.kept ?? [],
    superseded: open?.superseded ?? [],
    conversions: conversions.map((one) => ({ ...one, total: rowsOf(one.table) })),
    administrators: [...model.roles.values()].filter(({ administrator }) => administrator).map(({ key }) => key),
    plan: broken.length === 0 ? plan : { ...plan, warnings: [...plan.warnings, ...broken] },
  };
}

function withoutTables(state: DesiredState, tables: ReadonlySet<string>): DesiredState {
  const kept = Object.entries(state.tables).filter(([id]) => !tables.has(id));
  return { ...state, tables: Object.fromEntries(kept) };
}

/** The plan with what its conversions would do, and the values that are in the way. */
export async function planWithPreviews(client: PoolClient, prepared: Prepared): Promise<Plan> {
  const { tenant, source, before, wanted, conversions, plan } = prepared;
  if (before === null || conversions.length === 0) return plan;
  const previews: ConversionPreview[] = [];
  for (const one of conversions) previews.push(await preview(client, tenant, source, before, wanted, one));
  return { ...plan, conversions: previews };
}

/** Writes of conversions go by the triggers only when these were made by an engine that knows of it. */
const isQuiet = (stored: DesiredState, { table }: Conversion): boolean =>
  // The index of what is still to be done cannot be built beside others' work on a divided table.
  stored.tables[table]?.partition === undefined &&
  stored.functions[`before_${table}`]?.includes('armature.quiet') === true;

/** The model of the release before, and the fields of those that set a column aside. */
function whatWas(
  client: PoolClient,
  tenant: Tenant,
  release: number,
): Pick<ConversionsInput, 'fieldBefore' | 'modelBefore' | 'asideSince'> {
  const models = new Map<number, Promise<Model | null>>();
  const modelOf = async (number: number): Promise<Model | null> => {
    const old = await loadSource(client, tenant, number);
    return old && buildModel(old);
  };
  const known = (number: number): Promise<Model | null> => {
    const model = models.get(number) ?? modelOf(number);
    models.set(number, model);
    return model;
  };
  return {
    modelBefore: () => known(release),
    asideSince: (column) => asideSince(client, tenant, column),
    fieldBefore: async (table, column, aside) => {
      const number = aside ? await releaseBeforeAside(client, tenant, column) : release;
      const model = number === null ? null : await known(number);
      const field = [...(model?.entities.values() ?? [])].find(({ id }) => id === table)?.fieldsById.get(column);
      return model && field ? { model, field } : undefined;
    },
  };
}

function refuse(refusals: readonly Refusal[]): void {
  const [first] = refusals;
  if (first) throw new Problem('invalid_document', first.message, refusals);
}

function refuseUnknown(onFail: OnFails, found: readonly Conversion[]): void {
  const known = new Set(found.map(({ entity, to }) => `${entity.name}.${to.key}`));
  const other = Object.keys(onFail).find((name) => !known.has(name));
  if (other === undefined) return;
  const pointer = `/onFail/${other.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  throw invalidAt(pointer, `No field “${other}” changes its type.`, 'unknown', { known: [...known] });
}

/** What would go through a table of many records is left for afterwards. */
function defer(
  changes: readonly Change[],
  many: (table: string) => boolean,
): { readonly changes: readonly Change[]; readonly drafts: readonly StepDraft[] } {
  const drafts: StepDraft[] = [];
  const kept = changes.flatMap((one): Change[] => {
    if (one.later === null || one.table === null || ![one.table, ...(one.later.about ?? [])].some(many)) return [one];
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
