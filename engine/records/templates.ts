/**
 * A template filled in with a record, under the rights of whoever asks: its placeholders become one selection for the
 * one read path. What may not be read is left out of the selection and renders as nothing, exactly as an empty value.
 */
import Mustache from 'mustache';
import { isObject } from '../model/documents.ts';
import type { Entity } from '../model/model.ts';
import type { Template } from '../model/parts.ts';
import type { TemplateText } from '../model/template-text.ts';
import { notFound } from '../problem.ts';
import type { Selection, SelectItem } from './query/query.ts';
import { selectionOf } from './query/terms.ts';
import type { Scope } from './scope.ts';

export interface Rendered {
  /** Qualified name. */
  readonly template: string;
  /** Locale of the variant that was taken; `null`: the document's own. */
  readonly locale: string | null;
  readonly format: 'text' | 'html';
  /** One line of plain text. */
  readonly subject: string | null;
  readonly body: string;
}

/** Reads one record; the one read path does. */
export interface OneReader {
  one(scope: Scope, entity: Entity, id: string, selection: Selection | null): Promise<{ readonly body: string } | null>;
}

/** The template of that key (or qualified name) for the entity. */
export function findTemplate(scope: Scope, entity: Entity, key: string): Template | null {
  const found = [...scope.model.templates.values()].filter((one) => one.entity === entity.name);
  return found.find(({ name }) => name === key) ?? found.find((one) => one.key === key) ?? null;
}

/**
 * @param wishes locales in order of preference; `de-CH` is content with `de`
 * @throws Problem `not_found` when the record may not be seen
 */
export async function renderTemplate(
  reader: OneReader,
  scope: Scope,
  entity: Entity,
  id: string,
  template: Template,
  wishes: readonly string[],
): Promise<Rendered> {
  const locale = wishes
    .flatMap((wish) => [wish, wish.split('-')[0] ?? wish])
    .find((wish) => wish !== '' && template.variants.has(wish));
  const variant = template.variants.get(locale ?? '');
  if (!variant) throw notFound();
  const need = needOf();
  for (const text of [variant.subject ?? [], variant.body]) collect(scope, entity, text, need);
  const found = await reader.one(scope, entity, id, selectionFor(need));
  if (!found) throw notFound();
  const { data }: { readonly data?: unknown } = JSON.parse(found.body);
  const escape = template.format === 'html' ? (text: string) => Mustache.escape(text) : (text: string) => text;
  const plain = (text: string) => text;
  return {
    template: template.name,
    locale: locale ?? null,
    format: template.format,
    // A line break in a subject would begin another header of the mail.
    subject: variant.subject && write(scope, entity, variant.subject, data, plain).replaceAll(/[\r\n]+/g, ' '),
    body: write(scope, entity, variant.body, data, escape),
  };
}

/** What has to be read: keys of the record, and of what it refers to or holds. */
interface Need {
  readonly keys: Set<string>;
  readonly nested: Map<string, Need>;
}

const needOf = (): Need => ({ keys: new Set(['id']), nested: new Map() });

function inside(need: Need, key: string): Need {
  const known = need.nested.get(key) ?? needOf();
  need.nested.set(key, known);
  return known;
}

function collect(scope: Scope, entity: Entity, text: TemplateText, need: Need): void {
  for (const node of text) {
    if (node.kind === 'text') continue;
    const place = reach(scope, entity, node.path);
    if (!place) continue;
    let at = need;
    for (const key of node.path.slice(0, -1)) at = inside(at, key);
    const { key, target, children } = place;
    if (target) inside(at, key).keys.add('_title');
    else if (children) inside(at, key);
    else at.keys.add(key);
    if (node.kind === 'section') collect(scope, children ?? entity, node.nodes, children ? inside(at, key) : need);
  }
}

interface Reached {
  /** Entity that has the last field of the path. */
  readonly entity: Entity;
  readonly key: string;
  /** The last field is a reference: where to. */
  readonly target: Entity | null;
  /** The last field holds parts: of what. */
  readonly children: Entity | null;
}

/** Where a path ends; `null` when something on the way may not be read. */
function reach(scope: Scope, start: Entity, path: readonly string[]): Reached | null {
  let entity = start;
  for (const [index, key] of path.entries()) {
    const last = index === path.length - 1;
    if (key === '_title') return { entity, key, target: null, children: null };
    const field = entity.fields.get(key);
    const rights = scope.rights.of(entity.name);
    const named = field?.reference?.entity ?? field?.children?.entity;
    const other = named === undefined ? undefined : scope.model.entities.get(named);
    if (!field || rights.read.length === 0) return null;
    if (!field.children && !rights.readableFields.has(key)) return null;
    if (other && scope.rights.of(other.name).read.length === 0) return null;
    if (last)
      return {
        entity,
        key,
        target: field.reference ? (other ?? null) : null,
        children: field.children ? (other ?? null) : null,
      };
    if (!field.reference || !other) return null;
    entity = other;
  }
  return null;
}

function selectionFor(need: Need): Selection {
  const at = 'template';
  const items: SelectItem[] = [...need.keys]
    // What is looked into is selected with what is in it.
    .filter((key) => !need.nested.has(key))
    .map((key) => ({ kind: 'field', at, key }));
  for (const [key, inner] of need.nested)
    items.push({ kind: 'nested', at, key, of: selectionFor(inner), order: [], first: null, where: null });
  return selectionOf(items);
}

function write(
  scope: Scope,
  entity: Entity,
  text: TemplateText,
  record: unknown,
  escape: (text: string) => string,
): string {
  return text
    .map((node) => {
      if (node.kind === 'text') return node.text;
      const place = reach(scope, entity, node.path);
      const value = place ? valueAt(record, node.path) : null;
      if (node.kind === 'value') return place ? escape(textOf(place, value)) : '';
      const filled = isFilled(value);
      if (node.inverted) return filled ? '' : write(scope, entity, node.nodes, record, escape);
      if (!filled) return '';
      if (!place?.children) return write(scope, entity, node.nodes, record, escape);
      const { children } = place;
      const parts: readonly unknown[] = Array.isArray(value) ? value : [];
      return parts.map((part) => write(scope, children, node.nodes, part, escape)).join('');
    })
    .join('');
}

/** Nothing but what the record itself has: no name reaches further. */
function valueAt(record: unknown, path: readonly string[]): unknown {
  let value: unknown = record;
  for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : null;
  return value;
}

function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== null && value !== undefined && value !== false && value !== '';
}

/** As a file has it: choices by their names, dates and amounts as they are. */
function textOf({ entity, key, target }: Reached, value: unknown): string {
  if (target) return isObject(value) && typeof value['_title'] === 'string' ? value['_title'] : '';
  const field = entity.fields.get(key);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return field ? field.type.exportCell(value, field) : String(value);
  if (!Array.isArray(value)) return '';
  return value.map(String).join(', ');
}
