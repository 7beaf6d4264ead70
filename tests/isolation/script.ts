/**
 * Requests made at random from the model and the whole grammar, by a seed: what a curious person with a token would try,
 * on fields, records and values they may and may not see. Reading is here, the rest in `script-writes.ts`.
 */
import type { Entity, Field, Model } from '#engine/model/model.ts';
import type { Random } from '../support/random.ts';
import type { WorldPerson, WorldRecord } from './world.ts';

export interface Case {
  /** What figures are counted by. */
  readonly channel: string;
  readonly method: string;
  readonly path: string;
  /** JSON, or a form. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the next page is asked for too. */
  readonly pages?: boolean;
  /** Whether it changes something: then nothing else is under way. */
  readonly writes?: boolean;
}

/** What a script may use: the same in both worlds. */
export interface Known {
  readonly model: Model;
  readonly person: WorldPerson;
  /** Records as they are in the world that nothing was changed in, those of the other organisation too. */
  readonly records: readonly WorldRecord[];
  /** Records that the script has made. */
  readonly made: { readonly entity: string; readonly id: string }[];
}

const NOBODY = { id: '00000000-0000-7000-8000-000000000000' };
const RELATIVE = ['today', 'this_month', 'last_30_days', 'next_2_quarters', 'this_fiscal_year'];

export class ReadScript {
  protected readonly random: Random;
  protected readonly known: Known;
  readonly #traces: ReadonlyMap<string, readonly string[]>;

  constructor(random: Random, known: Known) {
    this.random = random;
    this.known = known;
    const traces = new Map<string, string[]>();
    for (const { entity, canaries } of known.records) {
      for (const [field, trace] of canaries) {
        const at = traces.get(`${entity}.${field}`) ?? [];
        traces.set(`${entity}.${field}`, at);
        at.push(trace);
      }
    }
    this.#traces = traces;
  }

  /** The next request that reads. */
  read(): Case {
    const entity = this.entity();
    const at = address(entity);
    const kinds: readonly (() => Case)[] = [
      () => this.#list(entity),
      () => this.#list(entity),
      () => this.#list(entity),
      () => this.#asJson(entity),
      () => this.#asJson(entity),
      () => this.#groups(entity),
      () => this.#groups(entity),
      () => this.#search(entity),
      () => this.#one(entity),
      () => ({ channel: 'history', method: 'GET', path: `${at}/${this.id(entity)}/history` }),
      () => this.#export(entity),
      () => ({ channel: 'feed', method: 'GET', path: `${at}/$changes?$first=${this.pick([1, 5, 100])}` }),
      () => ({
        channel: 'duplicates',
        method: 'GET',
        path: `${at}/$duplicates`,
      }),
      () => ({ channel: 'bin', method: 'GET', path: `${at}?$deleted=only&$count=exact&${this.filter(entity)}` }),
      () => ({ channel: 'shares', method: 'GET', path: `${at}/${this.id(entity)}/shares` }),
      () => this.#described(),
    ];
    return this.pick(kinds)();
  }

  #list(entity: Entity): Case {
    const parts = [this.filter(entity)];
    if (this.chance(0.3)) parts.push(this.filter(entity));
    if (this.chance(0.7)) parts.push(`$select=${this.select(entity, 2)}`);
    if (this.chance(0.6)) parts.push(`$order=${this.order(entity)}`);
    if (this.chance(0.5)) parts.push('$count=exact');
    parts.push(`${this.pick(['$first', '$first', '$last'])}=${this.pick([1, 2, 3, 50])}`);
    return { channel: 'list', method: 'GET', path: `${address(entity)}?${parts.join('&')}`, pages: true };
  }

  #asJson(entity: Entity): Case {
    const body = {
      where: this.where(entity, 3),
      select: this.select(entity, 0).split(','),
      ...(this.chance(0.5) && { order: this.order(entity).split(',') }),
      ...(this.chance(0.5) && { count: 'exact' }),
      first: this.pick([1, 3, 100]),
    };
    return { channel: 'query', method: 'POST', path: `${address(entity)}/$query`, body };
  }

  #groups(entity: Entity): Case {
    const summaries = ['n:count()'];
    for (let more = this.random.below(3); more > 0; more--) {
      const field = this.field(entity);
      const how = this.pick(['sum', 'min', 'max', 'avg', 'countDistinct', 'count']);
      summaries.push(`a${more}:${how}(${this.path(entity, field)})`);
    }
    const parts = this.chance(0.2)
      ? [`$distinct=${this.field(entity).key}`]
      : [`$agg=${summaries.join()}`, ...(this.chance(0.8) ? [`$group=${this.path(entity, this.field(entity))}`] : [])];
    if (this.chance(0.3)) parts.push('$having=n[gte]:2');
    if (this.chance(0.6)) parts.push(this.filter(entity));
    return { channel: 'groups', method: 'GET', path: `${address(entity)}?${parts.join('&')}` };
  }

  #search(entity: Entity): Case {
    const field = this.field(entity);
    const value = this.value(entity, field);
    // A typing error in the middle: near misses are found as well.
    const near = this.chance(0.3) && value.length > 8 ? `${value.slice(0, 5)}q${value.slice(6)}` : value;
    const parts = [`$search=${encodeURIComponent(near)}`, '$count=exact', '$select=id,_title'];
    return { channel: 'search', method: 'GET', path: `${address(entity)}?${parts.join('&')}`, pages: true };
  }

  #one(entity: Entity): Case {
    const select = this.chance(0.5) ? `?$select=${this.select(entity, 2)},_title,_actions` : '';
    return { channel: 'one', method: 'GET', path: `${address(entity)}/${this.id(entity)}${select}` };
  }

  #export(entity: Entity): Case {
    const format = this.pick(['csv', 'ndjson']);
    const path = `${address(entity)}/$export?$format=${format}&$select=${this.select(entity, 1)}&${this.filter(entity)}`;
    return { channel: 'export', method: 'GET', path };
  }

  #described(): Case {
    return {
      channel: 'described',
      method: 'GET',
      path: this.pick([
        '/api/openapi.json',
        '/api/ui/model',
        '/api/ui/model?locale=ar',
        '/api/session',
        '/api/flags',
        '/api/settings',
        '/api/metadata/documents',
        '/api/metadata/releases',
        '/api/metadata/drafts',
        '/api/metadata/diff?from=1&to=2',
        '/api/$changes',
      ]),
    };
  }

  /** One parameter that filters, in its encoded form. */
  filter(entity: Entity): string {
    if (this.chance(0.2)) return `$where=${encodeURIComponent(JSON.stringify(this.where(entity, 2)))}`;
    const field = this.field(entity);
    const [at, last] = this.#through(entity, field);
    const operator = this.operator(last);
    return `${at}[${operator}]=${encodeURIComponent(this.operand(entity, last, operator))}`;
  }

  /** A condition as JSON. */
  where(entity: Entity, depth: number): unknown {
    const kind = this.random.below(depth > 0 ? 7 : 3);
    if (kind === 3) return { or: [this.where(entity, depth - 1), this.where(entity, depth - 1)] };
    if (kind === 4) return { not: this.where(entity, depth - 1) };
    if (kind > 4) {
      const related = [...entity.fields.values()].filter((field) => field.many !== null || field.reference);
      const list = related.length > 0 ? this.pick(related) : undefined;
      const target = this.#target(list);
      if (list && target && list.reference) return { [list.key]: this.where(target, depth - 1) };
      if (list && target) {
        if (this.chance(0.2)) return { [list.key]: { count: { [this.pick(['gte', 'eq'])]: this.random.below(3) } } };
        return { [list.key]: { [this.pick(['some', 'none', 'every'])]: this.where(target, depth - 1) } };
      }
    }
    const field = this.field(entity);
    const operator = this.operator(field);
    const operand = this.operand(entity, field, operator);
    const listed = ['in', 'nin', 'between', 'hasAny', 'hasAll'].includes(operator);
    const value = operator === 'null' ? operand === 'true' : listed ? operand.split(',') : operand;
    return { [field.key]: { [operator]: value } };
  }

  select(entity: Entity, depth: number): string {
    const parts = ['id'];
    for (let more = this.random.below(4); more >= 0; more--) {
      const field = this.field(entity);
      const target = depth > 0 ? this.#target(field) : undefined;
      parts.push(target ? `${field.key}(${this.select(target, depth - 1)})` : field.key);
    }
    return [...new Set(parts)].join();
  }

  order(entity: Entity): string {
    const way = () => (this.chance(0.5) ? '-' : '');
    return Array.from({ length: 1 + this.random.below(2) }, () => way() + this.path(entity, this.field(entity))).join();
  }

  /** A field's key, or the way to a field of what it refers to. */
  path(entity: Entity, field: Field): string {
    return this.#through(entity, field)[0];
  }

  #through(_: Entity, field: Field): readonly [string, Field] {
    let [path, at] = [field.key, field];
    for (let target = this.#target(at); target && at.reference && this.chance(0.6); target = this.#target(at)) {
      at = this.field(target);
      path += `.${at.key}`;
    }
    return [path, at];
  }

  #target(field: Field | undefined): Entity | undefined {
    const name = field?.reference?.entity ?? field?.children?.entity;
    return name === undefined ? undefined : this.known.model.entities.get(name);
  }

  operator(field: Field): string {
    return this.chance(0.05)
      ? this.pick(['under', 'like', 'ilike', 'search'])
      : this.pick(['eq', ...field.type.operators]);
  }

  operand(entity: Entity, field: Field, operator: string): string {
    if (operator === 'null') return this.pick(['true', 'false']);
    if (operator === 'within') return this.pick(RELATIVE);
    if (operator === 'in' || operator === 'between') {
      const two = [this.value(entity, field), this.value(entity, field)].map((one) => one.replaceAll(/[,"]/g, ''));
      return two.join();
    }
    const value = this.value(entity, field);
    // A part of a value finds by degrees what a whole one finds at once.
    if (!/contains|starts|ends|like|search/.test(operator)) return value;
    const from = operator.includes('ends') ? this.random.below(6) : 0;
    const part = value.slice(from, from + 4 + this.random.below(20));
    return operator.endsWith('like') ? `%${part}%` : part;
  }

  /** A value that may be in the field: of a record the person sees or not, or of none. */
  value(entity: Entity, field: Field): string {
    const traces = this.#traces.get(`${entity.name}.${field.key}`);
    if (traces && this.chance(0.8)) return this.pick(traces);
    const choice = field.choices && field.choices.length > 0 ? this.pick(field.choices) : null;
    if (choice) return choice.key;
    if (field.lifecycle !== null)
      return this.pick([...(this.known.model.lifecycles.get(field.lifecycle)?.states.keys() ?? ['none'])]);
    const target = this.#target(field) ?? (field.key === 'id' ? entity : undefined);
    if (target) return this.id(target);
    switch (field.type.key) {
      case 'boolean':
        return this.pick(['true', 'false']);
      case 'integer':
        return String(this.random.below(60));
      case 'percent':
        return this.pick(['12', '50.5']);
      case 'money':
      case 'decimal':
      case 'formula':
        return String(this.random.below(3_000_000));
      case 'date':
        return this.pick(['2026-02-03', '2026-05-12', '@today']);
      case 'datetime':
        return this.pick(['2026-02-03T04:05:06Z', '@now']);
      default:
        return this.pick(['cnry', 'a', '']);
    }
  }

  id(entity: Entity): string {
    const of = this.known.records.filter((record) => record.entity === entity.name);
    const made = this.known.made.filter((record) => record.entity === entity.name);
    return this.chance(0.1) ? NOBODY.id : this.pick([NOBODY, ...of, ...made]).id;
  }

  entity(): Entity {
    const { model } = this.known;
    const all = [...model.entities.values()];
    return this.pick(this.chance(0.9) ? all.filter(({ pack }) => pack !== 'core') : all);
  }

  field(entity: Entity): Field {
    return this.pick([...entity.fields.values()]);
  }

  chance(of: number): boolean {
    return this.random.next() < of;
  }

  pick<T>(from: readonly T[]): T {
    const chosen = from[this.random.below(from.length)];
    if (chosen === undefined) throw new Error('there is nothing to choose from');
    return chosen;
  }
}

export const address = (entity: Entity): string => `/api/${entity.pack}/v1/${entity.plural}`;
