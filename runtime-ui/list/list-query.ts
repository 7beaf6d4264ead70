/**
 * What a list shows, to and from the address: the same grammar the API speaks, so that an address can be sent to a
 * colleague, and Back works. `?$view=open&$search=foo&$order=-amount,name&stage[in]=won,lost`
 */
import type { UiEntity, UiView } from '../../engine/api/ui-model.ts';
import { OPERATORS, type Operator } from '../../engine/model/value-type.ts';

export interface Filter {
  readonly field: string;
  readonly operator: Operator;
  /** As text; lists have several, `null` has `true` or `false`, all others one. */
  readonly values: readonly string[];
}

export interface Sort {
  readonly field: string;
  readonly descending: boolean;
}

export interface ListQuery {
  readonly view: string | null;
  readonly search: string;
  /** Empty: as the view says. */
  readonly order: readonly Sort[];
  readonly filters: readonly Filter[];
}

export const LIST_OPERATORS: ReadonlySet<Operator> = new Set(['in', 'nin', 'between', 'hasAny', 'hasAll']);

/** Reads the part of an address after `?`. Parameters of unknown fields or operators are left out. */
export function parseListQuery(search: string, entity: UiEntity): ListQuery {
  const parameters = new URLSearchParams(search);
  const filters: Filter[] = [];
  for (const [name, value] of parameters) {
    if (name.startsWith('$')) continue;
    const match = /^([a-z][a-z0-9_]*)(?:\[([A-Za-z]+)\])?$/.exec(name);
    const field = match?.[1];
    const operator = operatorOf(match?.[2] ?? 'eq');
    if (!field || !operator || !entity.fields.some((each) => each.key === field)) continue;
    filters.push({ field, operator, values: LIST_OPERATORS.has(operator) ? parseList(value) : [value] });
  }
  return {
    view: parameters.get('$view'),
    search: parameters.get('$search') ?? '',
    order: parseOrder(parameters.get('$order') ?? '').filter((sort) =>
      entity.fields.some((field) => field.key === sort.field),
    ),
    filters,
  };
}

/** The part of an address after `?`; empty when there is nothing to say. */
export function formatListQuery(query: ListQuery): string {
  const parts: string[] = [];
  if (query.view) parts.push(`$view=${encode(query.view)}`);
  if (query.search) parts.push(`$search=${encode(query.search)}`);
  if (query.order.length > 0) parts.push(`$order=${formatOrder(query.order)}`);
  parts.push(...query.filters.map(formatFilter));
  return parts.join('&');
}

/** `-amount,name` */
export function parseOrder(order: string): readonly Sort[] {
  return order
    .split(',')
    .filter(Boolean)
    .map((part) => ({ field: part.replace(/^[-+]/, ''), descending: part.startsWith('-') }));
}

export function formatOrder(order: readonly Sort[]): string {
  return order.map((sort) => (sort.descending ? '-' : '') + sort.field).join(',');
}

/** `stage[in]=won,lost`; `eq` needs no operator. */
export function formatFilter(filter: Filter): string {
  const name = filter.operator === 'eq' ? filter.field : `${filter.field}[${filter.operator}]`;
  const value = LIST_OPERATORS.has(filter.operator) ? formatList(filter.values) : (filter.values[0] ?? '');
  return `${name}=${encode(value)}`;
}

/** Query of a list to the API: what is shown, of which records, in which order. Without paging. */
export function apiQuery(query: ListQuery, view: UiView, select: string, order: readonly Sort[]): string {
  const parts = [`$select=${encode(select)}`];
  if (view.filtered) parts.push(`$view=${encode(view.key)}`);
  if (query.search) parts.push(`$search=${encode(query.search)}`);
  if (order.length > 0) parts.push(`$order=${formatOrder(order)}`);
  parts.push(...query.filters.map(formatFilter));
  return parts.join('&');
}

/** A list of values as RFC 4180 quotes it: `a,"b,c"`. */
export function formatList(values: readonly string[]): string {
  return values
    .map((value) => (/[",\n\r]/.test(value) || value === '' ? `"${value.replaceAll('"', '""')}"` : value))
    .join(',');
}

export function parseList(text: string): readonly string[] {
  const values: string[] = [];
  const part = /"((?:[^"]|"")*)"(?:,|$)|([^,]*)(?:,|$)/y;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (!match) break;
    values.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
  }
  return values;
}

function operatorOf(text: string): Operator | undefined {
  return OPERATORS.find((operator) => operator === text);
}

/** Commas, brackets and the like stay readable in the address. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%2C', ',')
    .replaceAll('%40', '@')
    .replaceAll('%3A', ':')
    .replaceAll('%2F', '/')
    .replaceAll('%28', '(')
    .replaceAll('%29', ')');
}
