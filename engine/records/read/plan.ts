/**
 * From a Query to a plan: names become fields, fields are checked against the rights, and nothing of it is SQL yet.
 * What may not be seen is refused in the words for what does not exist.
 */
import type { Condition } from '../../condition/condition.ts';
import { TRUE } from '../../condition/condition.ts';
import { nameOf } from '../../condition/faults.ts';
import { resolveCondition } from '../../condition/resolve.ts';
import { settingsOf } from '../../condition/resolve-setting.ts';
import { type Entity, type Field, hasValue, type View } from '../../model/model.ts';
import type { Many } from '../../model/relations.ts';
import { searchedFields } from '../../model/search-fields.ts';
import { nearest } from '../../nearest.ts';
import { notFound, Problem } from '../../problem.ts';
import { refuse } from '../query/fault.ts';
import type { OrderTerm, Query, SelectItem, Selection } from '../query/query.ts';
import { LIMITS } from '../query/query.ts';
import { CONTROLS } from '../query/url.ts';
import type { Scope } from '../scope.ts';
import type { Access } from './access.ts';
import { conceal } from './conceal.ts';
import { planPath, type PlannedPath } from './plan-path.ts';
import { planSummary, type SummaryPlan } from './plan-summary.ts';

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
      readonly where: Condition;
    };

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
  readonly search: SearchPlan | null;
  /** The best hits of the search first: its rank stands for a first term of the order. */
  readonly ranked: boolean;
}

export interface SearchPlan {
  /** That the words are looked for in: readable ones alone, on some records at least. */
  readonly fields: readonly Field[];
  /** How many words. */
  readonly words: number;
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
  const view =
    query.view === null ? null : viewOf(query.view, entity, query.fromText ? '$view' : '/view', access, scope);
  const fields = query.search === null ? [] : searchedFields(entity).filter(access.of(entity).visible);
  if (query.search !== null && fields.length === 0) {
    refuse(
      query.fromText ? '$search' : '/search',
      'invalid_parameter',
      `${entity.name} has no field that is searched.`,
    );
  }
  const search = query.search === null ? null : { fields, words: query.search.length };
  if (query.summary !== null) return planSummary(query, entity, access, view, search);
  const select = planSelect(query.select, entity, access, start(query.first, query.deleted === 'only'));
  const ranked = search !== null && query.order.length === 0;
  const order = ranked ? rankOrder(entity) : planOrder(query.order, viewOrder(view), entity, access);
  return { kind: 'list', entity, select, order, view, search, ranked };
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
    country: access.model.country,
    settings: settingsOf(access.model.settings),
    ...(query.fromText && { controls: CONTROLS }),
  });
}

/** What narrows every query of a plan's shape: its view's filter. */
export function narrowing({ view }: ListPlan | SummaryPlan): Condition {
  return view?.filter ?? TRUE;
}

/** The key of the rank among a page's columns. */
export const RANK = '_rank';

/** The best first; of equally good ones the newest. */
function rankOrder(entity: Entity): PlannedOrder[] {
  const id = entity.fields.get('id');
  if (id === undefined) throw new TypeError(`${entity.name} has no id`);
  const rank: Field = { ...id, id: RANK, key: RANK, type: { ...id.type, valueType: 'integer' } };
  return [rank, id].map((field) => ({ steps: [], field, descending: true, nullable: false }));
}

/** The view with what its filter shows this reader. */
function viewOf(key: string, entity: Entity, at: string, access: Access, scope: Scope): View {
  const view = findView(key, entity, at, scope);
  return view.filter === null ? view : { ...view, filter: conceal(view.filter, entity, access) };
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

interface Depth {
  readonly depth: number;
  /** Lists of records inside lists of records multiply. */
  readonly lists: number;
  /** Records in the bin show when they were deleted. */
  readonly deleted: boolean;
  /** Records there can be at this level, were every list as long as it may be. */
  readonly rows: number;
  readonly budget: RowBudget;
}

/** What lists inside lists may come to. */
class RowBudget {
  #rows = 0;

  spend(rows: number, at: string): void {
    this.#rows += rows;
    if (this.#rows <= LIMITS.nestedRows) return;
    const message = `The lists inside this page could hold ${this.#rows} records together, and at most ${LIMITS.nestedRows} may be asked for. Ask for fewer records, or give the inner lists a smaller "first".`;
    refuse(at, 'invalid_parameter', message, { max: LIMITS.nestedRows, found: this.#rows });
  }
}

const start = (rows: number, deleted: boolean): Depth => ({
  depth: 0,
  lists: 0,
  deleted,
  rows,
  budget: new RowBudget(),
});

const MAX_NESTED_LISTS = 2;

/** @param selection `null`: every readable field of the record itself */
export function planSelect(
  selection: Selection | null,
  entity: Entity,
  access: Access,
  level: Depth = start(1, false),
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
    return field.many === null ? { kind: 'field', field } : planMany(field.many, field, item, access, level);
  }
  const field = findField(item.key, item.at, entity, access);
  if (field.many !== null) return planMany(field.many, field, item, access, level);
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
  if (item.order.length > 0 || item.first !== null || item.where !== null) {
    refuse(item.at, 'invalid_parameter', `"${item.key}" is one record: it has no order, no length and no filter.`);
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
  item: Exclude<SelectItem, { kind: 'all' }>,
  access: Access,
  level: Depth,
): PlannedItem {
  const { at } = item;
  const nested = item.kind === 'nested' ? item : { of: null, order: [], first: null, where: null };
  const other = access.lookup(many.entity);
  if (other === undefined) throw new TypeError(`no entity ${many.entity}`);
  if (level.lists >= MAX_NESTED_LISTS) {
    refuse(at, 'invalid_parameter', `Lists can be at most ${MAX_NESTED_LISTS} deep inside each other.`, {
      max: MAX_NESTED_LISTS,
    });
  }
  const first = nested.first ?? LIMITS.defaultChildren;
  const rows = level.rows * first;
  level.budget.spend(rows, at);
  const inner = { ...level, depth: level.depth + 1, lists: level.lists + 1, deleted: false, rows };
  // Without an order, records stand as they were added: their ids grow with time.
  const id = other.fields.get('id');
  const order =
    nested.order.length > 0 || id === undefined
      ? planOrder(nested.order, [], other, access)
      : [{ steps: [], field: id, descending: false, nullable: false }];
  const of = planSelect(nested.of, other, access, inner);
  const where =
    nested.where === null
      ? TRUE
      : resolveCondition(nested.where, other, access.lookup, {
          visible: access.visible,
          derived: true,
          country: access.model.country,
          settings: settingsOf(access.model.settings),
        });
  return { kind: 'many', field, many, of, order, first, where };
}

/** The same words for a field that is hidden and one that does not exist. */
function findField(key: string, at: string, entity: Entity, access: Access): Field {
  const { visible } = access.of(entity);
  const field = entity.fields.get(key);
  if (field !== undefined && visible(field)) return field;
  const known = [...entity.fields.values()].filter(visible).map((each) => each.key);
  const suggestion = nearest(key, [...known, '_title', '_actions', '_may']);
  const hint = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
  return refuse(at, 'unknown_field', `${JSON.stringify(key)} is not a field of ${nameOf(entity, known)}.${hint}`, {
    expected: 'a field',
    found: key,
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
}
