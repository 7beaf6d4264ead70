/**
 * A step of a lifecycle. One round trip: the UPDATE that starts from the right state, then the look at the record as it
 * has become (required fields, guard), which undoes everything when it does not like it.
 */
import type { Sender } from '#engine/db/sender.ts';
import type { Statement } from '#engine/db/execute.ts';
import type { Entity, Field, Lifecycle, Transition } from '#engine/model/model.ts';
import { textKey, translator } from '#engine/model/texts.ts';
import type { Value } from '#engine/model/value-type.ts';
import type { ProblemDetail } from '#engine/problem.ts';
import { notFound, Problem } from '#engine/problem.ts';
import { recordId } from '../record-id.ts';
import type { Scope } from '../scope.ts';
import type { Change, Versions } from './change.ts';
import { changeStatement } from './change.ts';
import type { Target } from './change-many.ts';
import { changeManyStatement, sameVersion, targetSource } from './change-many.ts';
import { diagnose, requireGrants } from './diagnose.ts';
import { refilled, refilledColumns } from './fills.ts';
import type { Plan } from './plan.ts';
import { conditionSql, pairedPredicates } from './predicate.ts';
import { References } from './references.ts';
import { column, Parameters, sqlTypeOf, tableOf } from './sql.ts';
import { at, checkBody, Faults, isObject, refuseNested, valueContext } from './validate.ts';

export interface Step {
  readonly field: Field;
  readonly lifecycle: Lifecycle;
  readonly transition: Transition;
}

/** The transition of that key, of whichever state field has it. */
export function findTransition(scope: Scope, entity: Entity, action: string): Step | null {
  for (const field of entity.fields.values()) {
    const lifecycle = field.lifecycle === null ? undefined : scope.model.lifecycles.get(field.lifecycle);
    const transition = lifecycle?.transitions.get(action);
    if (lifecycle && transition) return { field, lifecycle, transition };
  }
  return null;
}

/**
 * @param body values of fields that go with the step, usually those it requires; may be empty
 * @throws Problem `not_found` (record, or no such step), `forbidden`, `invalid`
 */
export function planTransition(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  id: string,
  action: string,
  body: unknown,
  version: Versions,
): Plan {
  const record = recordId(id);
  const { step, values, references } = prepareStep(scope, entity, action, body, id);
  const lookup = references.statement();
  const change: Change = { id: record, version, ...movement(scope, entity, step, values) };
  return {
    entity,
    statements: [
      ...(lookup ? [lookup] : []),
      changeStatement(scope, entity, change),
      ...conclusion(scope, entity, [record], step, values),
    ],
    refused: async (refusal) => {
      if (refusal.code === 'references') return references.problem(refusal.ids);
      if (refusal.code === 'step') return stepRefused(scope, entity, step, refusal.ids);
      const wanted = { ...change, deleted: false, verb: 'change' };
      const { problem, state } = await diagnose(sender, scope, entity, wanted, step.field.key);
      return problem ?? wrongState(step, state) ?? 'again';
    },
  };
}

export interface PreparedStep {
  readonly step: Step;
  readonly values: ReadonlyMap<string, Value>;
  readonly references: References;
}

/**
 * The step and what goes with it, checked.
 * @param record its id, `null` for many
 * @throws Problem as {@link planTransition}
 */
export function prepareStep(
  scope: Scope,
  entity: Entity,
  action: string,
  body: unknown,
  record: string | null,
): PreparedStep {
  const step = findTransition(scope, entity, action);
  const off = step?.transition.flag != null && scope.rights.off.has(step.transition.flag);
  if (!step || off || !scope.rights.of(entity.name).readableFields.has(step.field.key)) throw notFound();
  const rights = scope.rights.of(entity.name);
  requireGrants(scope, entity, rights.update, 'change');
  if (!rights.transitions.has(action)) {
    throw new Problem('forbidden', `You may not do “${step.transition.label}”.`);
  }
  const faults = new Faults();
  const accepted = checkBody(scope, entity, 'update', body ?? {}, '', faults, { record });
  refuseNested(accepted, '', 'cannot be changed with a step.', faults);
  const { values } = accepted;
  faults.check();
  const references = new References(scope);
  references.add(entity, [{ pointer: '', values }]);
  return { step, values, references };
}

/** The same step for records that were found a moment ago, in the same transaction. */
export function stepManyStatements(
  scope: Scope,
  entity: Entity,
  { step, values, references }: PreparedStep,
  targets: readonly Target[],
): Statement[] {
  const lookup = references.statement();
  const { conditions, ...rest } = movement(scope, entity, step, values);
  const change = changeManyStatement(scope, entity, {
    ...rest,
    source: (parameters) => targetSource(targets, parameters),
    conditions: (parameters) => [sameVersion, ...conditions(parameters)],
  });
  const ids = targets.map(({ id }) => id);
  return [...(lookup ? [lookup] : []), change, ...conclusion(scope, entity, ids, step, values)];
}

/** What a step writes, and from where it starts. */
function movement(
  scope: Scope,
  entity: Entity,
  { field, transition }: Step,
  values: ReadonlyMap<string, Value>,
): Omit<Change, 'id' | 'version' | 'deleted'> & Required<Pick<Change, 'conditions'>> {
  const state = column(field);
  const again = refilled(scope, entity, new Set(values.keys())).filter(({ key }) => !(key in transition.sets));
  const changed = [...values.keys(), ...again.map(({ key }) => key)];
  return {
    grants: scope.rights
      .of(entity.name)
      .update.filter(({ transitions }) => transitions === null || transitions.has(transition.key)),
    // Fields that are sent along have conditions of their own below.
    fields: [],
    skipEqual: false,
    assignments: (parameters) => {
      const assigned = new Map([[state, parameters.bind(transition.to, 'text')]]);
      const set = (key: string, write: (target: Field) => string) => {
        const target = entity.fields.get(key);
        if (target?.column) assigned.set(column(target), write(target));
      };
      for (const [key, value] of values) {
        // What the step sets takes the place of what was sent; a parameter that nothing uses would have no type.
        if (!(key in transition.sets)) set(key, (target) => parameters.bind(value, sqlTypeOf(target)));
      }
      for (const [key, value] of Object.entries(transition.sets)) {
        set(key, (target) => setValue(scope, target, value, parameters));
      }
      const now = (key: string) => {
        const target = values.has(key) ? entity.fields.get(key) : undefined;
        return target && assigned.get(column(target));
      };
      for (const one of again.flatMap((target) => refilledColumns(scope, entity, target, now)))
        if (!assigned.has(one.column)) assigned.set(one.column, one.value);
      return [...assigned].map(([column, value]) => ({ column, value }));
    },
    conditions: (parameters) => [
      `x.${state} = any(${parameters.bind(transition.from, 'text[]')})`,
      ...(values.size > 0
        ? pairedPredicates(scope, scope.rights.of(entity.name).update, changed, 'x', parameters)
        : []),
    ],
  };
}

/** A literal, or `{"now": true}`, `{"today": true}`, `{"user": true}`. */
function setValue(scope: Scope, field: Field, value: unknown, parameters: Parameters): string {
  if (isObject(value)) {
    if (value['now'] === true) return 'armature.now()';
    if (value['today'] === true) return 'armature.today()';
    return 'armature.user_id()';
  }
  const literal: Value =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  const parsed = literal === null ? { value: null } : field.type.normalise(literal, field, valueContext(scope));
  return parameters.bind('error' in parsed ? null : parsed.value, sqlTypeOf(field));
}

/**
 * Refuses (`step`, details: keys of the required fields that are empty, and `` for the guard). What asks for a field
 * that is hidden from the principal cannot be looked at and counts as not fulfilled.
 */
function conclusion(
  scope: Scope,
  entity: Entity,
  ids: readonly string[],
  { field, transition }: Step,
  values: ReadonlyMap<string, Value>,
): Statement[] {
  const parameters = new Parameters();
  const which = parameters.bind(ids, 'uuid[]');
  const { readableFields } = scope.rights.of(entity.name);
  const reasons = transition.requires.flatMap((key) => {
    const required = entity.fields.get(key);
    if (!required?.column || (values.get(key) ?? null) !== null || key in transition.sets) return [];
    if (!readableFields.has(key)) return ["''::text"];
    return [`case when x.${column(required)} is null then ${parameters.bind(key, 'text')} end`];
  });
  const guard = field.guards?.get(transition.key);
  if (guard) reasons.push(`case when (${conditionSql(scope, guard, 'x', parameters)}) is not true then '' end`);
  if (reasons.length === 0) return [];
  return [
    {
      text: `select armature.refuse('step', json_agg(m.reason)) from ${tableOf(scope, entity)} x cross join lateral unnest(array[${reasons.join(', ')}]) as m(reason) where x.id = any(${which}) and m.reason is not null having count(*) > 0`,
      values: parameters.values,
    },
  ];
}

export function stepRefused(scope: Scope, entity: Entity, step: Step, reasons: readonly string[]): Problem {
  const { transition } = step;
  const guard = guardMessage(scope, entity, step);
  const details = [...new Set(reasons)].map((key): ProblemDetail => {
    if (key === '') return { code: 'guard', message: guard, pointer: '' };
    const label = entity.fields.get(key)?.label ?? key;
    return { code: 'required', message: `${label} is required for “${transition.label}”.`, pointer: at('', key) };
  });
  return new Problem('transition_refused', details[0]?.message ?? guard, details);
}

/** In the language of whoever takes the step, where the organisation has said it. */
function guardMessage(scope: Scope, entity: Entity, { field, transition }: Step): string {
  const { guardMessage: said, key, label } = transition;
  if (said === null) return `The record does not fulfil what “${label}” asks for.`;
  const translate = translator(scope.model, scope.principal.locale);
  return translate(textKey.message(entity.name, field.key, key), said);
}

export function wrongState({ field, lifecycle, transition }: Step, state: string | null): Problem | null {
  if (state !== null && transition.from.includes(state)) return null;
  const label = (key: string) => lifecycle.states.get(key)?.label ?? key;
  const from = transition.from.map((key) => `“${label(key)}”`).join(', ');
  const now = state === null ? 'empty' : `“${label(state)}”`;
  const message = `“${transition.label}” starts from ${from}; ${field.label} is ${now}.`;
  return new Problem('transition_refused', message, [
    { code: 'state', message, pointer: '', params: { state, from: transition.from } },
  ]);
}
