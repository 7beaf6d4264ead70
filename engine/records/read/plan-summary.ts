/** Groups and aggregates, resolved: every refusal names the term it is about. */
import type { Condition } from '../../condition/condition.ts';
import { TRUE } from '../../condition/condition.ts';
import type { RawCondition } from '../../condition/raw.ts';
import { OPERATORS_OF } from '../../condition/operators.ts';
import { resolveCondition } from '../../condition/resolve.ts';
import type { Entity, Field, View } from '../../model/model.ts';
import type { ValueType } from '../../model/value-type.ts';
import { nearest } from '../../nearest.ts';
import { refuse } from '../query/fault.ts';
import { type AggregateFunction, type Bucket, type GroupTerm, LIMITS, type Query } from '../query/query.ts';
import type { Access } from './access.ts';
import type { SearchPlan } from './plan.ts';
import { planPath, type PlannedPath } from './plan-path.ts';

export type PlannedGroup = PlannedPath & {
  readonly name: string;
  readonly bucket: Bucket | null;
  /** Grouped by the title of the records at the end of the path, which then leads to their id. */
  readonly title: Entity | null;
};

export interface PlannedAggregate {
  readonly name: string;
  readonly fn: AggregateFunction;
  /** `null` for `count()`. */
  readonly of: PlannedPath | null;
  /** The currency beside the amount, when an amount is what comes of it: amounts of several currencies come to nothing. */
  readonly currency: PlannedPath | null;
  /** What its currency is called in the answer; `null` where that name is taken. */
  readonly currencyName: string | null;
}

export interface SummaryPlan {
  readonly kind: 'summary';
  readonly entity: Entity;
  readonly groups: readonly PlannedGroup[];
  readonly aggregates: readonly PlannedAggregate[];
  /** Of the groups; its fields are named as the aggregates are. */
  readonly having: Condition;
  /** Index into groups, then aggregates. */
  readonly order: readonly { readonly index: number; readonly descending: boolean }[];
  readonly view: View | null;
  readonly search: SearchPlan | null;
}

export function planSummary(
  query: Query,
  entity: Entity,
  access: Access,
  view: View | null,
  search: SearchPlan | null,
): SummaryPlan {
  const summary = query.summary ?? { group: [], aggregate: [], having: null };
  const groups = summary.group.map((term): PlannedGroup => {
    if (term.path.at(-1) === '_title' && term.bucket === null) return planTitle(term, entity, access);
    const path = planPath(term.path, term.at, entity, access);
    const dated = path.field.type.valueType === 'date' || path.field.type.valueType === 'datetime';
    if (term.bucket !== null && !dated) {
      refuse(term.at, 'invalid_parameter', `"${term.path.join('.')}" is not a date, so it has no ${term.bucket}.`, {
        expected: 'a date',
        found: path.field.type.key,
      });
    }
    if (term.bucket === null && !path.field.type.groupable) {
      refuse(term.at, 'invalid_parameter', `"${term.path.join('.')}" cannot be grouped by.`, {
        expected: 'a field to group by',
        found: path.field.type.key,
      });
    }
    return { ...path, name: term.name, bucket: term.bucket, title: null };
  });
  const aggregates = summary.aggregate.map((term): PlannedAggregate => {
    if (term.path.length === 0) return { name: term.name, fn: term.fn, of: null, currency: null, currencyName: null };
    const of = planPath(term.path, term.at, entity, access);
    const offered = of.field.type.aggregates;
    const { fn } = term;
    if (fn !== 'count' && fn !== 'countDistinct' && !offered.includes(fn)) {
      const has = ['count', 'countDistinct', ...offered];
      refuse(
        term.at,
        'invalid_parameter',
        `"${fn}" is not possible for "${term.path.join('.')}" (${of.field.type.key}); it has ${has.join(', ')}.`,
        {
          expected: has,
          found: fn,
        },
      );
    }
    const currency = currencyOf(fn, of, term.path, entity, access);
    const name = `${term.name}_currency`;
    const taken = [...summary.group, ...summary.aggregate].some((other) => other.name === name);
    return {
      name: term.name,
      fn,
      of,
      currency,
      currencyName: currency === null || taken || name.length > LIMITS.termName ? null : name,
    };
  });
  const names = [...groups, ...aggregates].map((each) => each.name);
  const order = query.order.map((term) => {
    const name = term.path[0] ?? '';
    const index = names.indexOf(name);
    if (index < 0) {
      const suggestion = nearest(name, names);
      const hint = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
      refuse(term.at, 'invalid_parameter', `"${name}" is neither a group nor an aggregate of this query.${hint}`, {
        expected: names,
        found: name,
      });
    }
    return { index, descending: term.descending };
  });
  const having = summary.having === null ? TRUE : planHaving(summary.having, aggregates, entity, query.fromText);
  return { kind: 'summary', entity, groups, aggregates, having, order, view, search };
}

/** Where the currency of an aggregated amount stands; `null` where no amount comes of it. */
function currencyOf(
  fn: AggregateFunction,
  { steps, field }: PlannedPath,
  path: readonly string[],
  entity: Entity,
  access: Access,
): PlannedPath | null {
  if (field.currencyField === null || fn === 'count' || fn === 'countDistinct') return null;
  // It is seen by whoever sees the amount; should it not be, the amount says nothing either.
  const beside = planPath([...path.slice(0, -1), field.currencyField], path.join('.'), entity, access);
  return { steps, field: beside.field };
}

/** The one condition language, about a group instead of a record: its fields are the aggregates, by their names. */
function planHaving(
  raw: RawCondition,
  aggregates: readonly PlannedAggregate[],
  entity: Entity,
  fromText: boolean,
): Condition {
  const [pattern] = entity.fields.values();
  if (pattern === undefined) throw new TypeError(`${entity.name} has no field`);
  const fields = new Map(
    aggregates.map((aggregate): [string, Field] => {
      const valueType = valueTypeOf(aggregate);
      const type = { ...pattern.type, key: valueType, valueType, operators: [...OPERATORS_OF[valueType]] };
      return [aggregate.name, { ...pattern, id: aggregate.name, key: aggregate.name, type, choices: null }];
    }),
  );
  const group: Entity = { ...entity, name: 'these groups', fields };
  return resolveCondition(raw, group, () => undefined, { fromText });
}

function valueTypeOf({ fn, of }: PlannedAggregate): ValueType {
  if (fn === 'count' || fn === 'countDistinct') return 'integer';
  return fn === 'sum' || fn === 'avg' ? 'decimal' : (of?.field.type.valueType ?? 'text');
}

/** `account._title`: what people call the record a reference points at. Two of one name are one group. */
function planTitle(term: GroupTerm, entity: Entity, access: Access): PlannedGroup {
  const path = planPath([...term.path.slice(0, -1), 'id'], term.at, entity, access);
  const last = path.steps.at(-1);
  const title = last === undefined ? entity : access.lookup(last.entity);
  if (title === undefined) throw new TypeError('a resolved path leads to an entity');
  return { ...path, name: term.name, bucket: null, title };
}
