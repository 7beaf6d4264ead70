/** From a query to the statements that answer it, and from their results to the body. */
import type { Clock } from '../../clock.ts';
import type { Statement, StatementResult } from '../../db/execute.ts';
import type { Entity } from '../../model/model.ts';
import { orderText } from '../query/terms.ts';
import type { Query } from '../query/query.ts';
import type { Scope } from '../scope.ts';
import type { BindValues } from './binds.ts';
import { Binds, bindValue, valuesAt } from './binds.ts';
import type { Cursors } from './cursor.ts';
import { fingerprint } from './cursor.ts';
import type { ListPlan } from './plan.ts';
import type { SummaryPlan } from './plan-summary.ts';
import { planQuery, planWhere } from './plan.ts';
import { accessOf, Shapes } from './shapes.ts';
import { COUNT_CAP, countTemplate, listTemplate } from './sql-list.ts';
import { SqlWriter } from './sql-source.ts';
import { summaryTemplate } from './sql-summary.ts';
import type { Surroundings, Template } from './template.ts';
import { fill } from './template.ts';
import type { Place, WhereShape } from './where-shape.ts';
import { placeSlots, shapeOfWhere, slotValue } from './where-shape.ts';

/** Statements to send in one batch, and what to make of their results. */
export interface Request {
  readonly statements: readonly Statement[];
  body(results: readonly StatementResult[]): string;
}

/** What is kept of one shape. */
interface Prepared {
  readonly plan: ListPlan | SummaryPlan;
  readonly around: Surroundings;
  /** The effective order, which cursors are bound to. */
  readonly order: string;
  /** By the pattern of NULLs in the cursor's keys; the one that counts is `count`. */
  readonly templates: Map<string, Template>;
  /** By template and shape of the filter. */
  readonly known: Map<string, Known>;
}

/** The text for a shape of filter, and where each of the filter's parameters comes from. */
interface Known {
  readonly text: string;
  readonly places: readonly Place[];
}

/** Shapes of filters kept for one shape of query. */
const KEPT_FILTERS = 100;

export class Lists {
  readonly #cursors: Cursors;
  readonly #clock: Clock;
  readonly #shapes = new Shapes<Prepared>();

  constructor(cursors: Cursors, clock: Clock) {
    this.#cursors = cursors;
    this.#clock = clock;
  }

  /** @throws Problem as `Reader.list` */
  prepare(scope: Scope, entity: Entity, query: Query): Request {
    const prepared = this.#shapes.get(scope, entity, query.shape, () => prepare(scope, entity, query));
    const where = shapeOfWhere(query.where);
    const values = {
      ...valuesAt(scope, this.#clock.now()),
      ...(query.search && { search: query.search }),
    };
    return prepared.plan.kind === 'list'
      ? this.#page(scope, query, prepared.plan, prepared, where, values)
      : summary(query, prepared.plan, prepared, where, values);
  }

  #page(
    scope: Scope,
    query: Query,
    plan: ListPlan,
    prepared: Prepared,
    where: WhereShape,
    always: BindValues,
  ): Request {
    const tenant = scope.tenant.key;
    // Needed only where a cursor comes or goes; most first pages are also the last.
    let known: string | undefined;
    const origin = (): string => {
      known ??= fingerprint(
        plan.entity.id,
        prepared.order,
        query.deleted,
        query.search,
        plan.view?.name,
        where.key,
        where.slots,
      );
      return known;
    };
    const given = query.after ?? query.before;
    const direction = query.before === null ? 'after' : 'before';
    const backwards = query.last || direction === 'before';
    const place = `${query.fromText ? '$' : '/'}${direction}`;
    const keys =
      given === null ? null : this.#cursors.decode(tenant, direction, origin(), plan.order.length, given, place);
    const pattern = keys === null ? '' : keys.map((key) => (key === null ? 'n' : 'v')).join('');
    const values = keys === null ? always : { ...always, cursor: keys };
    const statements = [
      write(pattern, () => pageTemplate(prepared, plan, query, keys, backwards), prepared, query, where, values),
    ];
    if (query.count !== 'none')
      statements.push(write('count', () => countOf(prepared, plan, query), prepared, query, where, values));
    const cursor = (way: 'after' | 'before', edge: string | null | undefined): string =>
      typeof edge === 'string'
        ? `"${this.#cursors.encode(tenant, way, origin(), JSON.parse(edge) as (string | null)[])}"`
        : 'null';
    return {
      statements,
      body: ([page, count]) => {
        const [data = '[]', found, near, far] = page?.rows[0] ?? [];
        const more = Number(found) > query.first;
        // After the last records of all there is nothing; before the last ones after a cursor, there is that cursor.
        const atEnd = query.last && direction === 'after';
        const preceded = more || (query.last && query.after !== null);
        const next = atEnd ? 'null' : backwards ? cursor('after', near) : more ? cursor('after', far) : 'null';
        const prev = backwards ? (preceded ? cursor('before', far) : 'null') : cursor('before', near);
        return `{"data":${data},"page":{"next":${next},"prev":${prev}},"count":${countText(query, count)}}`;
      },
    };
  }
}

function prepare(scope: Scope, entity: Entity, query: Query): Prepared {
  const access = accessOf(scope);
  const plan = planQuery(query, entity, access, scope);
  const order =
    plan.kind === 'list'
      ? plan.order
          .map(({ steps, field, descending }) =>
            orderText({ at: '', descending, path: [...steps.map((step) => step.field), field.id] }),
          )
          .join(',')
      : '';
  const around = { access, schema: scope.tenant.names.schema, predicates: scope.predicates };
  return { plan, around, order, templates: new Map(), known: new Map() };
}

/**
 * A statement, its gap filled with the query's own filter. A filter of a known shape needs no planning: its values are
 * checked and put in their places.
 */
function write(
  name: string,
  make: () => Template,
  prepared: Prepared,
  query: Query,
  where: WhereShape,
  values: BindValues,
): Statement {
  let template = prepared.templates.get(name);
  if (template === undefined) {
    template = make();
    prepared.templates.set(name, template);
  }
  const bound = template.sources.map((source) => bindValue(source, values));
  const key = `${name} ${query.fromText} ${where.key}`;
  const known = prepared.known.get(key);
  const rest = known === undefined ? null : placeValues(known.places, where, query.fromText, values);
  if (known !== undefined && rest !== null) return { text: known.text, values: [...bound, ...rest] };
  const { access } = prepared.around;
  const { entity } = prepared.plan;
  const { text, sources } = fill(template, entity, planWhere(query, entity, access), prepared.around);
  const places = placeSlots(where, sources, entity, access, query.fromText);
  if (places !== null) {
    if (prepared.known.size >= KEPT_FILTERS) prepared.known.clear();
    prepared.known.set(key, { text, places });
  }
  return { text, values: [...bound, ...sources.map((source) => bindValue(source, values))] };
}

/** `null` when a value is not what its place needs: planning says what is wrong with it. */
function placeValues(
  places: readonly Place[],
  { slots }: WhereShape,
  fromText: boolean,
  values: BindValues,
): (string | null)[] | null {
  const bound: (string | null)[] = [];
  for (const place of places) {
    const value = place.kind === 'source' ? bindValue(place.source, values) : slotValue(place, slots, fromText);
    if (value === undefined) return null;
    bound.push(value);
  }
  return bound;
}

function pageTemplate(
  prepared: Prepared,
  plan: ListPlan,
  query: Query,
  keys: readonly (string | null)[] | null,
  backwards: boolean,
): Template {
  const binds = new Binds();
  const cursor = keys === null ? null : { before: query.before !== null, nulls: keys.map((key) => key === null) };
  const { first, offset, deleted } = query;
  return listTemplate(plan, { first, offset, deleted, backwards, cursor }, writerOf(prepared, binds), binds);
}

function countOf(prepared: Prepared, plan: ListPlan, query: Query): Template {
  const binds = new Binds();
  return countTemplate(plan, query.deleted, query.count === 'capped', writerOf(prepared, binds), binds);
}

function writerOf({ around }: Prepared, binds: Binds): SqlWriter {
  return new SqlWriter(around.access, binds, around.schema, around.predicates);
}

function countText(query: Query, result: StatementResult | undefined): string {
  const counted = result?.rows[0]?.[0];
  if (query.count === 'none' || typeof counted !== 'string') return 'null';
  const beyond = query.count === 'capped' && Number(counted) > COUNT_CAP;
  return beyond ? `{"value":${COUNT_CAP},"mode":"atLeast"}` : `{"value":${counted},"mode":"exact"}`;
}

function summary(query: Query, plan: SummaryPlan, prepared: Prepared, where: WhereShape, values: BindValues): Request {
  const make = (): Template => {
    const binds = new Binds();
    return summaryTemplate(plan, query.first, query.deleted, writerOf(prepared, binds), binds);
  };
  return {
    statements: [write('', make, prepared, query, where, values)],
    body: ([result]) => {
      const [data = '[]', groups = '0'] = result?.rows[0] ?? [];
      const count =
        Number(groups) > query.first
          ? `{"value":${query.first},"mode":"atLeast"}`
          : `{"value":${groups},"mode":"exact"}`;
      return `{"data":${data},"page":{"next":null,"prev":null},"count":${count}}`;
    },
  };
}
