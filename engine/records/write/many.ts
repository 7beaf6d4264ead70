/**
 * Changing, deleting and moving all records that match a filter, or none of them. One transaction: which records match
 * (as the principal sees them), then the same statements as for a single record, for all of them at once. A record that
 * somebody else changes in between is looked for again; a record that matches and may not be changed refuses the whole.
 */
import type { Transaction } from '#engine/db/database.ts';
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import type { Sender } from '#engine/db/sender.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Grant } from '#engine/model/rights.ts';
import { Problem } from '#engine/problem.ts';
import type { Query } from '../query/query.ts';
import { matchingStatement } from '../read/matching.ts';
import type { Scope } from '../scope.ts';
import { MANY_LIMITS } from './limits.ts';
import { refuseBlindPatches } from './merge-patch.ts';
import type { Target } from './change-many.ts';
import { changeManyStatement, outcomesOf, sameVersion, targetSource } from './change-many.ts';
import { mayCompare } from './compare.ts';
import { diagnose, requireGrants } from './diagnose.ts';
import type { Refusal } from './plan.ts';
import { References } from './references.ts';
import { removeManyStatements, stillReferenced } from './remove.ts';
import type { ManyJob, WriteOptions, WriteResult } from './run.ts';
import { runMany } from './run.ts';
import { prepareStep, stepManyStatements, stepRefused, wrongState } from './transition.ts';
import { refilled } from './fills.ts';
import { assignmentsOf } from './update.ts';
import { checkBody, Faults, refuseNested } from './validate.ts';

/** A query of which only the filter counts. It must not match every record. */
export type Matching = Query;

export interface ManyOptions extends WriteOptions {
  /** How many records may match: 100 when left out, 5,000 at most; with 0 none may. */
  readonly maxAffected?: number | undefined;
}

/** `now`: milliseconds since the Unix epoch, from which periods in the filter are told. */
export type ManyNow = ManyOptions & { readonly now: number };

/** What is done with the records once they are found. */
export interface Deed {
  readonly statements: (targets: readonly Target[]) => readonly Statement[];
  /** Which of the targets have changed. */
  readonly changed: (results: readonly StatementResult[], targets: readonly Target[]) => readonly string[];
  /** `null`: the refusal is about records that did not match what was asked of them. */
  readonly refused: (refusal: Refusal) => Problem | null;
  readonly grants: readonly Grant[];
  readonly fields: readonly string[];
  readonly verb: string;
  /** For steps: the state field, and what is wrong with a state. */
  readonly state?: { readonly field: string; readonly wrong: (state: string | null) => Problem | null };
}

/**
 * Answers `{"data": {"affected": n, "ids": […]}}`: what was really changed. Records that have the values already are not
 * among them.
 * @throws Problem `max_affected` when more records match than may be changed, and those of a single change
 */
export function updateMany(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  matching: Matching,
  body: unknown,
  options: ManyNow,
): Promise<WriteResult> {
  return doMany(sender, scope, entity, matching, options, () => {
    const { update: grants } = scope.rights.of(entity.name);
    requireGrants(scope, entity, grants, 'change');
    const faults = new Faults();
    const accepted = checkBody(scope, entity, 'update', body, '', faults, { record: null });
    refuseNested(accepted, '', 'cannot be changed on many records at once.', faults);
    const { values } = accepted;
    if (values.size === 0 && faults.details.length === 0)
      faults.add({ code: 'required', message: 'Say what is to change.', pointer: '' });
    if (options.mergePatch) refuseBlindPatches(scope, entity, values, faults);
    faults.check();
    const references = new References(scope);
    references.add(entity, [{ pointer: '', values }]);
    const lookup = references.statement();
    const fields = [...values.keys(), ...refilled(scope, entity, new Set(values.keys())).map(({ key }) => key)];
    return {
      statements: (targets) => [
        ...(lookup ? [lookup] : []),
        changeManyStatement(scope, entity, {
          source: (parameters) => targetSource(targets, parameters),
          conditions: () => [sameVersion],
          assignments: (parameters) => assignmentsOf(scope, entity, values, parameters, options.mergePatch === true),
          grants,
          fields,
          // Comparing means reading, which not everybody may who may write.
          skipEqual: mayCompare(scope, entity, fields),
        }),
      ],
      changed: (results) => outcomesOf(results.at(-1)).flatMap(({ id, changed }) => (changed ? [id] : [])),
      refused: ({ code, ids }) => (code === 'references' ? references.problem(ids) : null),
      grants,
      fields,
      verb: 'change',
    };
  });
}

/** Answers like {@link updateMany}. @throws Problem `max_affected`, and those of deleting a single record */
export function removeMany(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  matching: Matching,
  options: ManyNow,
): Promise<WriteResult> {
  return doMany(sender, scope, entity, matching, options, () => ({
    statements: (targets) => removeManyStatements(scope, entity, targets),
    changed: (_, targets) => targets.map(({ id }) => id),
    refused: ({ code, ids }) => (code === 'referenced' ? stillReferenced(scope, ids) : null),
    grants: scope.rights.of(entity.name).delete,
    fields: [],
    verb: 'delete',
  }));
}

/** Answers like {@link updateMany}. @throws Problem `max_affected`, and those of a single step */
export function transitionMany(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  matching: Matching,
  action: string,
  body: unknown,
  options: ManyNow,
): Promise<WriteResult> {
  return doMany(sender, scope, entity, matching, options, () => {
    const prepared = prepareStep(scope, entity, action, body, null);
    const { step, references, values } = prepared;
    return {
      statements: (targets) => stepManyStatements(scope, entity, prepared, targets),
      changed: (_, targets) => targets.map(({ id }) => id),
      refused: ({ code, ids }) => {
        if (code === 'references') return references.problem(ids);
        return code === 'step' ? stepRefused(scope, entity, step, ids) : null;
      },
      grants: scope.rights.of(entity.name).update,
      fields: [...values.keys()],
      verb: 'change',
      state: { field: step.field.key, wrong: (state) => wrongState(step, state) },
    };
  });
}

/** @param plan made anew for every try */
export function doMany(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  matching: Matching,
  options: ManyNow,
  plan: () => Deed,
): Promise<WriteResult> {
  const max = options.maxAffected ?? MANY_LIMITS.standard;
  return runMany(sender, scope, entity, options, 200, (): ManyJob => {
    const deed = plan();
    const found = matchingStatement(scope, entity, matching, max + 1, options.now);
    let targets: readonly Target[] = [];
    return {
      work: async (transaction: Transaction) => {
        const [matches] = await transaction.send(found);
        targets = (matches?.rows ?? []).map(([id, version]) => ({ id: id ?? '', version: Number(version) }));
        if (targets.length > max) throw tooMany(max);
        const results = targets.length === 0 ? [] : await transaction.send(...deed.statements(targets));
        const ids = targets.length === 0 ? [] : deed.changed(results, targets);
        return JSON.stringify({ data: { affected: ids.length, ids } });
      },
      refused: async (refusal) =>
        deed.refused(refusal) ??
        (await whyNot(
          sender,
          scope,
          entity,
          targets.filter(({ id }) => refusal.ids.includes(id)),
          deed,
        )),
    };
  });
}

function tooMany(max: number): Problem {
  const message =
    max === 0
      ? 'At least one record matches, and none was to. Nothing was changed.'
      : `At least ${max + 1} records match, and at most ${max} may be changed. Nothing was changed.`;
  return new Problem('max_affected', message, [
    { code: 'max_affected', message, params: { atLeast: max + 1, max, most: MANY_LIMITS.most } },
  ]);
}

/** How many of the refused records are asked for their reason. */
const ASKED = 5;

/** The reason of the first that has one; when none has, or has changed since, the whole is tried again. */
async function whyNot(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  refused: readonly Target[],
  { grants, fields, verb, state: states }: Deed,
): Promise<Problem | 'again' | 'unexplained'> {
  for (const { id, version } of refused.slice(0, ASKED)) {
    const wanted = { id, version: [version], deleted: false, grants, fields, verb };
    const { problem, state } = await diagnose(sender, scope, entity, wanted, states?.field ?? null);
    if (problem?.code === 'precondition_failed' || problem?.code === 'not_found') return 'again';
    const reason = problem ?? states?.wrong(state) ?? null;
    if (!reason) continue;
    const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : '';
    const details = refused.map((one) => ({
      code: reason.code,
      message: reason.message,
      params: { ...reason.errors[0]?.params, id: one.id },
    }));
    return new Problem(reason.code, `${reason.message}${more}`, details.slice(0, 100));
  }
  return 'unexplained';
}
