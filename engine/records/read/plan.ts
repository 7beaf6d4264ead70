/**
 * From a Query to a plan: names become fields, fields are checked against the rights, and nothing of it is SQL yet.
 * What may not be seen is refused in the words for what does not exist.
 */
import type { Condition, Step } from '../../condition/condition.ts';
import { TRUE } from '../../condition/condition.ts';
import { resolvePath } from '../../condition/resolve-path.ts';
import { Faults } from '../../condition/faults.ts';
import { resolveCondition } from '../../condition/resolve.ts';
import { all, any, test } from '../../condition/simplify.ts';
import { type Entity, type Field, hasValue, type View } from '../../model/model.ts';
import type { Many } from '../../model/relations.ts';
import { nearest } from '../../nearest.ts';
import { notFound, Problem } from '../../problem.ts';
import { refuse } from '../query/fault.ts';
import type { Bucket, OrderTerm, Query, SelectItem, Selection } from '../query/query.ts';
import { LIMITS } from '../query/query.ts';
import { CONTROLS } from '../query/url.ts';
import type { AggregateFunction } from '../query/query.ts';
import type { Scope } from '../scope.ts';
import type { Access } from './access.ts';
import { SEARCHED } from './binds.ts';

export interface SelectPlan {
  readonly entity: Entity;
  readonly items: readonly PlannedItem[];
}

export type PlannedItem =
  /** `parts`: what is answered of a reference to one of several entities. */
  | { readonly kind: 'field'; readonly field: Field; readonly parts?: ReadonlySet<string> }
  | { readonly kind: 'title' }
  | { readonly kind: 'actions' }
  | { readonly kind: 'may' }
  | { readonly kind: 'reference'; readonly field: Field; readonly target: SelectPlan }
  | {
      readonly kind: 'many';
      readonly field: Field;
      readonly many: Many;
      readonly of: SelectPlan;
      readonly order: readonly PlannedOrder[];
      readonly first: number;
    };

/** A field of the record, or of one it refers to. */
export interface PlannedPath {
  readonly steps: readonly Step[];
  readonly field: Field;
}

export interface PlannedOrder extends PlannedPath {
  readonly descending: boolean;
  /** Whether it can be NULL: decides how the next page is found. */
  readonly nullable: boolean;
}

export interface ListPlan {
  readonly kind: 'list';
  readonly entity: Entity;
  readonly select: SelectPlan;
  /** Never empty; the last one is the id. */
  readonly order: readonly PlannedOrder[];
  readonly view: View | null;
  /** Fields that the searched text is looked for in; empty without a search. */
  readonly searched: readonly Field[];
}

export interface SummaryPlan {
  readonly kind: 'summary';
  readonly entity: Entity;
  readonly groups: readonly (PlannedPath & { readonly name: string; readonly bucket: Bucket | null })[];
  readonly aggregates: readonly {
    readonly name: string;
    readonly fn: AggregateFunction;
    readonly of: PlannedPath | null;
  }[];
  /** Index into groups, then aggregates. */
  readonly order: readonly { readonly index: number; readonly descending: boolean }[];
  readonly view: View | null;
  /** Fields that the searched text is looked for in; empty without a search. */
  readonly searched: readonly Field[];
}

/**
 * @throws Problem `not_found` when the entity may not be read; `unknown_field` or `invalid_parameter` for parts of the
 *   query
 */
export function planQuery(query: Query, entity: Entity, access: Access, scope: Scope): ListPlan | SummaryPlan {
  if (!access.of(entity).readable) throw notFound();
  if (query.deleted === 'only' && !entity.softDelete) {
    refuse(
      query.fromText ? '$deleted' : '/deleted',
      'invalid_parameter',
      `Deleted records of ${entity.name} are not kept.`,
    );
  }
  const view = query.view === null ? null : findView(query.view, entity, query.fromText ? '$view' : '/view', scope);
  const searched = query.search === null ? [] : searchedFields(entity, access);
  if (query.search !== null && searched.length === 0) {
    refuse(
      query.fromText ? '$search' : '/search',
      'invalid_parameter',
      `${entity.name} has no field that is searched.`,
    );
  }
  if (query.summary !== null) return planSummary(query, entity, access, view, searched);
  const select = planSelect(query.select, entity, access, { depth: 0, lists: 0, deleted: query.deleted === 'only' });
  const order = planOrder(query.order, viewOrder(view), entity, access);
  return { kind: 'list', entity, select, order, view, searched };
}

/**
 * The query's own filter, resolved.
 * @throws Problem `unknown_field`, `unknown_operator` or `invalid_parameter`
 */
export function planWhere(query: Query, entity: Entity, access: Access): Condition {
  if (query.where === null) return TRUE;
  return resolveCondition(query.where, entity, access.lookup, {
    visible: access.visible,
    fromText: query.fromText,
    derived: true,
    ...(query.fromText && { controls: CONTROLS }),
  });
}

/** What narrows every query of a plan's shape: its view's filter and the search. */
export function narrowing({ view, searched }: ListPlan | SummaryPlan): Condition {
  const parts = view === null || view.filter === null ? [] : [view.filter];
  return all(searched.length === 0 ? parts : [...parts, searchCondition(searched)]);
}

function searchCondition(fields: readonly Field[]): Condition {
  const text = { kind: 'literal', type: 'text', value: SEARCHED } as const;
  return any(
    fields.map((field) =>
      test({ kind: 'field', type: 'text', steps: [], field: field.key, fieldId: field.id }, 'icontains', text),
    ),
  );
}

/** Text fields that are marked for search, or part of the title; readable ones alone. */
function searchedFields(entity: Entity, access: Access): Field[] {
  const { visible } = access.of(entity);
  return [...entity.fields.values()].filter(
    (field) =>
      field.column !== null &&
      field.type.valueType === 'text' &&
      (field.search !== null || (entity.title.fields.includes(field.key) && field.type.searchable)) &&
      visible(field),
  );
}

function findView(key: string, entity: Entity, at: string, scope: Scope): View {
  const views = [...scope.model.views.values()].filter(
    (view) =>
      view.entity === entity.name && (view.roles === null || view.roles.some((role) => scope.rights.roles.has(role))),
  );
  const found = views.find((view) => view.name === key) ?? views.find((view) => view.key === key);
  if (found !== undefined) return found;
  const suggestion = nearest(
    key,
    views.map((view) => view.key),
  );
  const hint = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
  return refuse(at, 'invalid_parameter', `"${key}" is not a view of ${entity.name}.${hint}`, {
    expected: views.map((view) => view.key),
    found: key,
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
}

function viewOrder(view: View | null): OrderTerm[] {
  return (view?.order ?? []).map(({ field, descending }) => ({ at: '', descending, path: field.split('.') }));
}

/**
 * NULL counts as greater than everything, ascending and descending, as Postgres has it by default. The id makes the
 * order total; it goes the way the last term goes, so that one comparison of rows can find the next page.
 */
function planOrder(
  terms: readonly OrderTerm[],
  fallback: readonly OrderTerm[],
  entity: Entity,
  access: Access,
): PlannedOrder[] {
  const order: PlannedOrder[] = [];
  const named =
    terms.length > 0
      ? terms.map((term) => planOrderTerm(term, entity, access))
      : fallback.flatMap((term) => lenient(term, entity, access));
  const id = entity.fields.get('id');
  for (const term of named) {
    const repeated = order.some((each) => each.field.id === term.field.id && pathKey(each) === pathKey(term));
    if (!repeated) order.push(term);
    // Nothing is equal after the id.
    if (term.field === id && term.steps.length === 0) return order;
  }
  if (id === undefined) throw new TypeError(`${entity.name} has no id`);
  order.push({ steps: [], field: id, descending: order.at(-1)?.descending ?? true, nullable: false });
  return order;
}

const pathKey = (path: PlannedPath): string => [...path.steps.map((step) => step.field), path.field.key].join('.');

/** A view may sort by a field that this reader may not see: then it does not. */
function lenient(term: OrderTerm, entity: Entity, access: Access): PlannedOrder[] {
  try {
    return [planOrderTerm(term, entity, access)];
  } catch (error) {
    if (error instanceof Problem) return [];
    throw error;
  }
}

function planOrderTerm(term: OrderTerm, entity: Entity, access: Access): PlannedOrder {
  const { steps, field } = planPath(term.path, term.at, entity, access);
  if (!field.type.sortable) {
    const hint = field.reference === null ? '' : ` Sort by a field of what it points at: "${term.path.join('.')}.…".`;
    refuse(term.at, 'invalid_parameter', `"${term.path.join('.')}" cannot be sorted by.${hint}`, {
      expected: 'a sortable field',
      found: field.type.key,
    });
  }
  const masked = access.of(entity).masks.has(field.key);
  const nullable = steps.length > 0 || masked || field.type.computed === true || !field.required;
  return { steps, field, descending: term.descending, nullable };
}

function planPath(path: readonly string[], at: string, entity: Entity, access: Access): PlannedPath {
  const faults = new Faults({});
  const resolved = resolvePath(path, at, {
    entity,
    lookup: access.lookup,
    visible: access.visible,
    faults,
    derived: true,
  });
  faults.check();
  if (resolved === undefined) throw new TypeError('a path without a fault resolves');
  return { steps: resolved.operand.steps, field: resolved.field };
}

interface Depth {
  readonly depth: number;
  /** Lists of records inside lists of records multiply. */
  readonly lists: number;
  /** Records in the bin show when they were deleted. */
  readonly deleted: boolean;
}

const MAX_NESTED_LISTS = 2;

/** @param selection `null`: every readable field of the record itself */
export function planSelect(
  selection: Selection | null,
  entity: Entity,
  access: Access,
  level: Depth = { depth: 0, lists: 0, deleted: false },
): SelectPlan {
  const items = new Map<string, PlannedItem>();
  const { visible } = access.of(entity);
  for (const item of selection?.items ?? [{ kind: 'all', at: '' } as const]) {
    if (item.kind === 'all') {
      for (const field of entity.fields.values()) {
        // The references behind one to several entities are answered when they are named.
        const behind = field.companionOf !== null && entity.fields.get(field.companionOf)?.derived?.kind === 'any';
        const plain = hasValue(field) && !behind && (field.key !== 'deleted_at' || !field.system || level.deleted);
        if (plain && visible(field) && !items.has(field.key)) items.set(field.key, { kind: 'field', field });
      }
    } else {
      items.set(item.key, planItem(item, entity, access, level));
    }
  }
  return { entity, items: [...items.values()] };
}

function planItem(
  item: Exclude<SelectItem, { kind: 'all' }>,
  entity: Entity,
  access: Access,
  level: Depth,
): PlannedItem {
  if (item.kind === 'field') {
    if (item.key === '_title') return { kind: 'title' };
    if (item.key === '_actions') return { kind: 'actions' };
    if (item.key === '_may') return { kind: 'may' };
    const field = findField(item.key, item.at, entity, access);
    return field.many === null
      ? { kind: 'field', field }
      : planMany(field.many, field, null, [], null, item.at, access, level);
  }
  const field = findField(item.key, item.at, entity, access);
  if (field.many !== null) return planMany(field.many, field, item.of, item.order, item.first, item.at, access, level);
  if (field.derived?.kind === 'any') return { kind: 'field', field, parts: partsOf(item) };
  const target = field.reference === null ? undefined : access.lookup(field.reference.entity);
  if (target === undefined) {
    return refuse(
      item.at,
      'invalid_parameter',
      `"${item.key}" is not a reference, so nothing can be selected inside it.`,
      {
        expected: 'a reference',
        found: field.type.key,
      },
    );
  }
  if (item.order.length > 0 || item.first !== null) {
    refuse(item.at, 'invalid_parameter', `"${item.key}" is one record: it has no order and no length.`);
  }
  return {
    kind: 'reference',
    field,
    target: planSelect(item.of, target, access, { ...level, depth: level.depth + 1, deleted: false }),
  };
}

const PARTS: readonly string[] = ['entity', 'id', '_title'];

/** What is selected of a reference to one of several entities: they have no fields in common but these. */
function partsOf(item: Extract<SelectItem, { kind: 'nested' }>): ReadonlySet<string> {
  if (item.order.length > 0 || item.first !== null)
    refuse(item.at, 'invalid_parameter', `"${item.key}" is one record: it has no order and no length.`);
  const parts = new Set<string>();
  for (const one of item.of.items) {
    if (one.kind === 'all') for (const part of PARTS) parts.add(part);
    else if (one.kind === 'field' && PARTS.includes(one.key)) parts.add(one.key);
    else {
      refuse(one.at, 'unknown_field', `"${one.key}" is not a part of "${item.key}"; it has ${PARTS.join(', ')}.`, {
        expected: PARTS,
        found: one.key,
      });
    }
  }
  return parts;
}

function planMany(
  many: Many,
  field: Field,
  selection: Selection | null,
  terms: readonly OrderTerm[],
  first: number | null,
  at: string,
  access: Access,
  level: Depth,
): PlannedItem {
  const other = access.lookup(many.entity);
  if (other === undefined) throw new TypeError(`no entity ${many.entity}`);
  if (level.lists >= MAX_NESTED_LISTS) {
    refuse(at, 'invalid_parameter', `Lists can be at most ${MAX_NESTED_LISTS} deep inside each other.`, {
      max: MAX_NESTED_LISTS,
    });
  }
  const inner = { depth: level.depth + 1, lists: level.lists + 1, deleted: false };
  // Without an order, records stand as they were added: their ids grow with time.
  const id = other.fields.get('id');
  const order =
    terms.length > 0 || id === undefined
      ? planOrder(terms, [], other, access)
      : [{ steps: [], field: id, descending: false, nullable: false }];
  const of = planSelect(selection, other, access, inner);
  return { kind: 'many', field, many, of, order, first: first ?? LIMITS.defaultChildren };
}

/** The same words for a field that is hidden and one that does not exist. */
function findField(key: string, at: string, entity: Entity, access: Access): Field {
  const { visible } = access.of(entity);
  const field = entity.fields.get(key);
  if (field !== undefined && visible(field)) return field;
  const known = [...entity.fields.values()].filter(visible).map((each) => each.key);
  const suggestion = nearest(key, [...known, '_title', '_actions', '_may']);
  const hint = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
  return refuse(at, 'unknown_field', `${JSON.stringify(key)} is not a field of ${entity.name}.${hint}`, {
    expected: 'a field',
    found: key,
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
}

function planSummary(
  query: Query,
  entity: Entity,
  access: Access,
  view: View | null,
  searched: readonly Field[],
): SummaryPlan {
  const summary = query.summary ?? { group: [], aggregate: [] };
  const groups = summary.group.map((term) => {
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
    return { ...path, name: term.name, bucket: term.bucket };
  });
  const aggregates = summary.aggregate.map((term) => {
    if (term.path.length === 0) return { name: term.name, fn: term.fn, of: null };
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
    return { name: term.name, fn, of };
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
  return { kind: 'summary', entity, groups, aggregates, order, view, searched };
}
