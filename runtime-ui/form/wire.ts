/**
 * Values between the form and the API. In the form an input holds one value; the API may want it differently:
 *
 * | field     | form                                | API                                        |
 * | --------- | ----------------------------------- | ------------------------------------------ |
 * | reference | `{id, _title}`                      | id                                         |
 * | money     | `{amount, currency}`                | `amount` and its companion `amount_currency` |
 * | composite | its parts by their keys             | the parts                                  |
 * | file      | `{id, name, type, size}`            | id                                         |
 * | children  | rows, the known ones with their id  | array (create), `{create, update, delete}` (change) |
 * | links     | `[{id, _title}]`                    | ids (create), `{add, remove}` (change)       |
 * | any       | `{entity, id, _title}`              | `{entity, id}`                             |
 */
import type { UiEntity, UiField, UiModel } from '../../engine/api/ui-model.ts';
import { isComposite, kindOf } from '../api/field-kind.ts';
import { fieldOf, isCompanion, usualCurrency } from '../api/model.ts';
import { isObject } from '../api/problem.ts';
import { pickedOf } from '../inputs/picked.ts';
import { moneyOf } from '../inputs/money.ts';

export type Values = Readonly<Record<string, unknown>>;
export type Mode = 'create' | 'update';

/** Whether the user may fill in the field. */
export function writable(field: UiField, mode: Mode): boolean {
  if (field.schema === null && !field.children && !isComposite(field)) return false;
  return mode === 'create' ? field.onCreate : field.onUpdate;
}

/** Fields of a child that a row of the sub-table shows. */
export function rowFields(child: UiEntity, back: string): readonly UiField[] {
  return child.fields.filter(
    (field) => !field.system && field.key !== back && !field.list && !isCompanion(child, field),
  );
}

/** Values of a record as the form holds them. */
export function toForm(model: UiModel, fields: readonly UiField[], record: Values): Values {
  const values: Record<string, unknown> = {};
  for (const field of fields) {
    const value = record[field.key];
    if (isComposite(field)) {
      const parts = field.companions.filter((key) => record[key] !== null && record[key] !== undefined);
      if (parts.length > 0) values[field.key] = Object.fromEntries(parts.map((key) => [key, record[key]]));
    } else if (field.children) {
      const child = model.entities[field.children.entity];
      const rows = Array.isArray(value) ? value.filter(isObject) : [];
      const back = field.children.field;
      if (child)
        values[field.key] = rows.map((row) => ({ ...toForm(model, rowFields(child, back), row), id: row['id'] }));
    } else if (value === null || value === undefined) {
      continue;
    } else if (kindOf(field) === 'money' && field.currencyField) {
      const currency = record[field.currencyField];
      values[field.key] = { amount: value, currency: typeof currency === 'string' ? currency : model.tenant.currency };
    } else if (field.reference) {
      values[field.key] = isObject(value) ? value : { id: value };
    } else {
      values[field.key] = short(field, value);
    }
  }
  return values;
}

/** `2.500` → `2.5`, `50.00` → `50`: nobody types the zeros. */
function short(field: UiField, value: unknown): unknown {
  const kind = kindOf(field);
  if ((kind !== 'decimal' && kind !== 'percent') || typeof value !== 'string') return value;
  return value.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
}

/** What a new record, or a new row, begins with: the defaults of its fields; it belongs to who makes it. */
export function blank(model: UiModel, fields: readonly UiField[]): Values {
  const filled = fields.filter((field) => field.default !== null && writable(field, 'create'));
  const owner = fields.some((field) => field.key === 'owner' && field.system && writable(field, 'create'));
  return {
    ...(owner && model.user.id ? { owner: { id: model.user.id, _title: model.user.name } } : {}),
    ...toForm(model, filled, Object.fromEntries(filled.map((field) => [field.key, field.default]))),
  };
}

/** One value as the API wants it, under the keys it wants it; nothing for an empty one. */
function sent(model: UiModel, field: UiField, value: unknown): Values {
  if (isEmpty(field, value)) return {};
  if (kindOf(field) === 'money' && field.currencyField) {
    const money = moneyOf(value);
    const currency = money.currency ?? usualCurrency(model, field);
    return { [field.key]: money.amount, ...(currency !== null && { [field.currencyField]: currency }) };
  }
  if (isComposite(field)) return Object.fromEntries(partsOf(field, value));
  if (isFile(field) && isObject(value)) return { [field.key]: value['id'] };
  if (field.reference) return { [field.key]: pickedOf(value)?.id };
  if (field.list) return { [field.key]: linkedIds(value) };
  if (field.targets && isObject(value)) return { [field.key]: { entity: value['entity'], id: value['id'] } };
  return { [field.key]: value };
}

const isFile = (field: UiField): boolean => kindOf(field) === 'file' || kindOf(field) === 'image';

/** The parts that have a value. */
function partsOf(field: UiField, value: unknown): readonly (readonly [string, unknown])[] {
  if (!isObject(value)) return [];
  return field.companions.flatMap((key) => {
    const part = value[key];
    return part === undefined || part === null || part === '' ? [] : [[key, part] as const];
  });
}

function isEmpty(field: UiField, value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (isComposite(field)) return partsOf(field, value).length === 0;
  if (field.reference || field.targets) return pickedOf(value) === null;
  if (kindOf(field) === 'money' && field.currencyField) return !moneyOf(value).amount;
  return Array.isArray(value) && value.length === 0;
}

/** A whole record as the API wants it, to create it or to check it against the schema. Children as an array. */
export function toWire(model: UiModel, fields: readonly UiField[], mode: Mode, values: Values): Values {
  const body: Record<string, unknown> = {};
  for (const field of fields) {
    if (!writable(field, mode)) continue;
    const value = values[field.key];
    if (!field.children) {
      Object.assign(body, sent(model, field, value));
      continue;
    }
    const child = model.entities[field.children.entity];
    const back = field.children.field;
    if (child && Array.isArray(value) && value.length > 0)
      body[field.key] = value
        .filter(isObject)
        .map((row) => toWire(model, rowFields(child, back), isKnown(row) ? 'update' : 'create', row));
  }
  return body;
}

/** Only what changed, as a merge patch: cleared values are `null`. Empty when nothing changed. */
export function toPatch(model: UiModel, fields: readonly UiField[], before: Values, after: Values): Values {
  const patch: Record<string, unknown> = {};
  for (const field of fields) {
    if (!writable(field, 'update')) continue;
    const { key } = field;
    if (field.children) {
      const child = model.entities[field.children.entity];
      const rows = child ? rowsPatch(model, rowFields(child, field.children.field), before[key], after[key]) : null;
      if (rows) patch[key] = rows;
      continue;
    }
    if (field.list) {
      const links = linksPatch(linkedIds(before[key]), linkedIds(after[key]));
      if (links) patch[key] = links;
      continue;
    }
    const was = sent(model, field, before[key]);
    const is = sent(model, field, after[key]);
    if (same(was, is)) continue;
    if (isComposite(field)) {
      for (const part of field.companions) if (!same(was[part], is[part])) patch[part] = is[part] ?? null;
      continue;
    }
    if (Object.keys(is).length === 0) patch[key] = null;
    else Object.assign(patch, is);
  }
  return patch;
}

const linkedIds = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.flatMap((one) => pickedOf(one)?.id ?? []) : [];

/** What to link and what not any more; a record may be linked to more than the form shows. */
function linksPatch(before: readonly string[], after: readonly string[]): Values | null {
  const add = after.filter((id) => !before.includes(id));
  const remove = before.filter((id) => !after.includes(id));
  if (add.length + remove.length === 0) return null;
  return { ...(add.length > 0 && { add }), ...(remove.length > 0 && { remove }) };
}

/** What to do with the rows of a sub-table: `{create, update, delete}`, or `null` when they are as they were. */
function rowsPatch(model: UiModel, fields: readonly UiField[], before: unknown, after: unknown): Values | null {
  const old = rowsOf(before);
  const now = rowsOf(after);
  const create = now.filter((row) => !isKnown(row)).map((row) => toWire(model, fields, 'create', row));
  const update = now.flatMap((row) => {
    const was = old.find((each) => each['id'] === row['id']);
    if (!isKnown(row) || !was) return [];
    const changes = toPatch(model, fields, was, row);
    return Object.keys(changes).length > 0 ? [{ id: row['id'], ...changes }] : [];
  });
  const gone = old.filter((row) => !now.some((each) => each['id'] === row['id'])).map((row) => row['id']);
  if (create.length + update.length + gone.length === 0) return null;
  return {
    ...(create.length > 0 ? { create } : {}),
    ...(update.length > 0 ? { update } : {}),
    ...(gone.length > 0 ? { delete: gone } : {}),
  };
}

export function rowsOf(value: unknown): readonly Values[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isKnown(row: Values): boolean {
  return typeof row['id'] === 'string';
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Where in the form a pointer of the server leads: `/amount_currency` → `amount`; `/lines/update/1/quantity` → the row
 * of the form that was sent as the second update.
 */
export function formPath(
  model: UiModel,
  entity: UiEntity,
  body: Values,
  values: Values,
  pointer: string,
): readonly string[] {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const [key, ...rest] = parts;
  if (key === undefined) return [];
  const owner = entity.fields.find((field) => field.companions.includes(key));
  if (owner) return [owner.key];
  const field = fieldOf(entity, key);
  if (!field?.children) return field ? [key] : [];
  const child = model.entities[field.children.entity];
  const [kind, number] = rest;
  if (kind === undefined || !child) return [key];
  const list = rowsOf(values[key]);
  const own = (row: number, tail: readonly string[]) =>
    row < 0 ? [key] : [key, String(row), ...(tail[0] ? formPath(model, child, {}, {}, `/${tail[0]}`) : [])];
  if (/^\d+$/.test(kind)) return own(Number(kind), rest.slice(1));
  if (kind === 'create')
    return own(list.indexOf(list.filter((row) => !isKnown(row))[Number(number)] ?? {}), rest.slice(2));
  const change = body[key];
  const updates = isObject(change) ? rowsOf(change['update']) : [];
  const id = updates[Number(number)]?.['id'];
  return own(
    list.findIndex((row) => row['id'] === id),
    rest.slice(2),
  );
}
