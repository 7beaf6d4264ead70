/** From a query to the statements that answer it, and from their results to the body. */
import type { Condition } from '../../condition/condition.ts';
import type { Statement, StatementResult } from '../../db/execute.ts';
import type { Entity } from '../../model/model.ts';
import { orderText } from '../query/terms.ts';
import type { Query } from '../query/query.ts';
import type { Scope } from '../scope.ts';
import { Binds } from './binds.ts';
import type { Cursors } from './cursor.ts';
import { fingerprint } from './cursor.ts';
import type { ListPlan, SummaryPlan } from './plan.ts';
import { narrowing, planQuery } from './plan.ts';
import { accessOf, Shapes } from './shapes.ts';
import { COUNT_CAP, countTemplate, listTemplate } from './sql-list.ts';
import { SqlWriter } from './sql-source.ts';
import { GROUP_LIMIT, summaryTemplate } from './sql-summary.ts';
import type { Surroundings, Template } from './template.ts';
import { fill } from './template.ts';

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
  /** By the pattern of NULLs in the cursor's keys. */
  readonly templates: Map<string, Template>;
  count: Template | null;
}

export class Lists {
  readonly #cursors: Cursors;
  readonly #shapes = new Shapes<Prepared>();

  constructor(cursors: Cursors) {
    this.#cursors = cursors;
  }

  /** @throws Problem as `Reader.list` */
  prepare(scope: Scope, entity: Entity, query: Query): Request {
    const prepared = this.#shapes.get(scope, `${entity.name}\n${query.search === null ? '' : 's'}\n${viewRoles(query, scope)}\n${query.shape}`, () =>
      prepare(scope, entity, query),
    );
    const { plan, around } = prepared;
    const condition = query.where === null && plan.view === null && query.search === null ? EVERY : narrowing(query, plan, around.access);
    return plan.kind === 'list'
      ? this.#page(scope, query, plan, prepared, condition)
      : summary(scope, query, plan, prepared, condition);
  }

  #page(scope: Scope, query: Query, plan: ListPlan, prepared: Prepared, condition: Condition): Request {
    const { entity } = plan;
    const { around, order } = prepared;
    const tenant = scope.tenant.key;
    // Needed only where a cursor comes or goes; most first pages are also the last.
    let known: string | undefined;
    const origin = (): string => {
      known ??= fingerprint(entity.name, order, query.deleted, query.search, condition);
      return known;
    };
    const given = query.after ?? query.before;
    const backwards = query.before !== null;
    const place = `${query.fromText ? '$' : '/'}${backwards ? 'before' : 'after'}`;
    const keys =
      given === null ? null : this.#cursors.decode(tenant, backwards ? 'before' : 'after', origin(), plan.order.length, given, place);
    const template = pageTemplate(prepared, plan, query, keys, backwards);
    const values = { principal: scope.principal, ...(keys === null ? {} : { cursor: keys }) };
    const statements = [fill(template, entity, condition, around, values)];
    if (query.count !== 'none') statements.push(fill(countOf(prepared, plan, query), entity, condition, around, values));
    const cursor = (direction: 'after' | 'before', edge: string | null | undefined): string =>
      typeof edge === 'string' ? `"${this.#cursors.encode(tenant, direction, origin(), JSON.parse(edge) as (string | null)[])}"` : 'null';
    return {
      statements,
      body: ([page, count]) => {
        const [data = '[]', found, near, far] = page?.rows[0] ?? [];
        const more = Number(found) > query.first;
        const next = backwards ? cursor('after', near) : more ? cursor('after', far) : 'null';
        const prev = backwards ? (more ? cursor('before', far) : 'null') : cursor('before', near);
        return `{"data":${data},"page":{"next":${next},"prev":${prev}},"count":${countText(query, count)}}`;
      },
    };
  }
}

const EVERY: Condition = Object.freeze({ kind: 'all', of: Object.freeze([]) });

/** Views may be for some roles only, and are found by them; inherited roles do not count. */
function viewRoles(query: Query, scope: Scope): string {
  return query.view === null ? '' : scope.principal.roles.join(' ');
}

function prepare(scope: Scope, entity: Entity, query: Query): Prepared {
  const access = accessOf(scope);
  const plan = planQuery(query, entity, access, scope);
  const order =
    plan.kind === 'list'
      ? plan.order.map(({ steps, field, descending }) => orderText({ at: '', descending, path: [...steps.map((step) => step.field), field.id] })).join(',')
      : '';
  const around = { access, schema: scope.tenant.names.schema, predicates: scope.predicates };
  return { plan, around, order, templates: new Map(), count: null };
}

function pageTemplate(prepared: Prepared, plan: ListPlan, query: Query, keys: readonly (string | null)[] | null, backwards: boolean): Template {
  const pattern = keys === null ? '' : keys.map((key) => (key === null ? 'n' : 'v')).join('');
  let template = prepared.templates.get(pattern);
  if (template === undefined) {
    const binds = new Binds();
    const cursor = keys === null ? null : { backwards, nulls: keys.map((key) => key === null) };
    template = listTemplate(plan, { first: query.first, offset: query.offset, deleted: query.deleted, cursor }, writerOf(prepared, binds), binds);
    prepared.templates.set(pattern, template);
  }
  return template;
}

function countOf(prepared: Prepared, plan: ListPlan, query: Query): Template {
  if (prepared.count === null) {
    const binds = new Binds();
    prepared.count = countTemplate(plan, query.deleted, query.count === 'capped', writerOf(prepared, binds), binds);
  }
  return prepared.count;
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

function summary(scope: Scope, query: Query, plan: SummaryPlan, prepared: Prepared, condition: Condition): Request {
  let template = prepared.templates.get('');
  if (template === undefined) {
    const binds = new Binds();
    template = summaryTemplate(plan, query.deleted, writerOf(prepared, binds), binds);
    prepared.templates.set('', template);
  }
  return {
    statements: [fill(template, plan.entity, condition, prepared.around, { principal: scope.principal })],
    body: ([result]) => {
      const [data = '[]', groups = '0'] = result?.rows[0] ?? [];
      const count = Number(groups) > GROUP_LIMIT ? `{"value":${GROUP_LIMIT},"mode":"atLeast"}` : `{"value":${groups},"mode":"exact"}`;
      return `{"data":${data},"page":{"next":null,"prev":null},"count":${count}}`;
    },
  };
}
