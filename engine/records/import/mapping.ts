/** How the columns of a file become fields: what a person may set, checked. */
import type { Entity } from '#engine/model/model.ts';
import { nearest } from '#engine/nearest.ts';
import type { Scope } from '../scope.ts';
import { found } from '../write/sentences.ts';
import { at, Faults, isObject } from '../write/validate.ts';
import { importableFields } from './columns.ts';

export interface ColumnMapping {
  readonly field: string;
  /** For references: a unique field of the other entity, `id` or `_title`; the title (or the id, where one stands) without it. */
  readonly by?: string;
  readonly rule?: ColumnRule;
}

/** Repairs of values, applied to the trimmed cell. */
export interface ColumnRule {
  /** Whole cells to be replaced: `{"GTXPro": "GTX Pro"}`. */
  readonly map?: Readonly<Record<string, string>>;
  /** Cells that mean nothing: `["-", "n/a"]`. */
  readonly empty?: readonly string[];
}

export interface ImportOptions {
  /** By column. Columns that are not in it are left out. */
  readonly mapping: Readonly<Record<string, ColumnMapping>>;
  /** Fields of a unique key: a row that agrees in them with a record updates it. */
  readonly upsertBy: readonly string[] | null;
  readonly dateOrder: 'dmy' | 'mdy' | null;
  readonly decimalMark: '.' | ',' | null;
  /** `report`: rows that become a record which may be there already are told. */
  readonly duplicates: 'report' | null;
}

export interface ImportSettings extends ImportOptions {
  readonly dryRun: boolean;
}

const PROPERTIES = new Set(['mapping', 'upsertBy', 'dryRun', 'dateOrder', 'decimalMark', 'duplicates']);

/**
 * @param body `{mapping?, upsertBy?, dryRun?, dateOrder?, decimalMark?, duplicates?}`; what is left out stays as it is
 * @throws Problem `invalid` with pointers into the body
 */
export function readSettings(
  scope: Scope,
  entity: Entity,
  columns: readonly string[],
  current: ImportSettings,
  body: unknown,
): ImportSettings {
  const faults = new Faults();
  if (!isObject(body)) {
    faults.add({ code: 'wrong_type', message: `The settings must be an object, not ${found(body)}.`, pointer: '' });
    faults.check();
    return current;
  }
  for (const key of Object.keys(body)) {
    if (PROPERTIES.has(key)) continue;
    const meant = nearest(key, PROPERTIES);
    faults.add({
      code: 'unknown_field',
      message: `There is no setting “${key.slice(0, 40)}”.${meant ? ` Did you mean “${meant}”?` : ''}`,
      pointer: at('', key),
    });
  }
  const settings: ImportSettings = {
    mapping: 'mapping' in body ? readMapping(scope, entity, columns, body['mapping'], faults) : current.mapping,
    upsertBy: 'upsertBy' in body ? readKey(body['upsertBy'], faults) : current.upsertBy,
    dryRun: 'dryRun' in body ? readFlag(body['dryRun'], faults) : current.dryRun,
    dateOrder: 'dateOrder' in body ? oneOf(body['dateOrder'], ['dmy', 'mdy'], 'dateOrder', faults) : current.dateOrder,
    decimalMark:
      'decimalMark' in body ? oneOf(body['decimalMark'], ['.', ','], 'decimalMark', faults) : current.decimalMark,
    duplicates: 'duplicates' in body ? oneOf(body['duplicates'], ['report'], 'duplicates', faults) : current.duplicates,
  };
  checkKey(scope, entity, settings, faults);
  faults.check();
  return settings;
}

function readMapping(
  scope: Scope,
  entity: Entity,
  columns: readonly string[],
  written: unknown,
  faults: Faults,
): Readonly<Record<string, ColumnMapping>> {
  if (!isObject(written)) {
    faults.add({
      code: 'wrong_type',
      message: `“mapping” must be an object, not ${found(written)}.`,
      pointer: '/mapping',
    });
    return {};
  }
  const mapping: [string, ColumnMapping][] = [];
  const taken = new Map<string, string>();
  for (const [column, target] of Object.entries(written)) {
    const pointer = at('/mapping', column);
    if (!columns.includes(column)) {
      const meant = nearest(column, columns);
      faults.add({
        code: 'unknown_column',
        message: `The file has no column “${column.slice(0, 60)}”.${meant ? ` Did you mean “${meant}”?` : ''}`,
        pointer,
      });
      continue;
    }
    if (target === null) continue;
    const read = readColumn(scope, entity, typeof target === 'string' ? { field: target } : target, pointer, faults);
    if (!read) continue;
    const other = taken.get(read.field);
    if (other !== undefined)
      faults.add({
        code: 'duplicate',
        message: `“${other}” and “${column}” both go to the same field.`,
        pointer: at(pointer, 'field'),
      });
    taken.set(read.field, column);
    mapping.push([column, read]);
  }
  return Object.fromEntries(mapping);
}

function readColumn(
  scope: Scope,
  entity: Entity,
  target: unknown,
  pointer: string,
  faults: Faults,
): ColumnMapping | null {
  if (!isObject(target) || typeof target['field'] !== 'string') {
    faults.add({ code: 'wrong_type', message: 'A column goes to {"field": "…"} or to null.', pointer });
    return null;
  }
  const fields = importableFields(scope, entity);
  const field = fields.get(target['field']);
  if (!field) {
    const meant = nearest(target['field'], fields.keys());
    faults.add({
      code: 'unknown_field',
      message: `There is no field “${target['field'].slice(0, 60)}” that can be imported.${meant ? ` Did you mean “${meant}”?` : ''}`,
      pointer: at(pointer, 'field'),
      ...(meant ? { params: { nearest: meant } } : {}),
    });
    return null;
  }
  const { by, rule } = target;
  const other = field.reference?.entity ?? field.many?.entity;
  const allowed = other === undefined ? new Set<string>() : keysOf(scope, other);
  if (by !== undefined && by !== null && (typeof by !== 'string' || !allowed.has(by))) {
    const message =
      other !== undefined
        ? `${field.label} can be found by: ${[...allowed].join(', ')}.`
        : `${field.label} is no reference.`;
    faults.add({ code: 'unknown_field', message, pointer: at(pointer, 'by'), params: { allowed: [...allowed] } });
  }
  return {
    field: field.key,
    ...(typeof by === 'string' ? { by } : {}),
    ...(rule === undefined || rule === null ? {} : { rule: readRule(rule, at(pointer, 'rule'), faults) }),
  };
}

/** What records of an entity can be found by: its unique fields that may be read wherever the record is, the id, the title. */
function keysOf(scope: Scope, name: string): ReadonlySet<string> {
  const { readableFields } = scope.rights.of(name);
  const unique =
    scope.model.entities.get(name)?.unique.flatMap(({ fields }) => (fields.length === 1 ? fields : [])) ?? [];
  return new Set([...unique.filter((key) => readableFields.get(key) === 'always'), 'id', '_title']);
}

function readRule(rule: unknown, pointer: string, faults: Faults): ColumnRule {
  if (!isObject(rule)) {
    faults.add({ code: 'wrong_type', message: `A rule must be an object, not ${found(rule)}.`, pointer });
    return {};
  }
  const { map, empty } = rule;
  for (const key of Object.keys(rule)) {
    if (key !== 'map' && key !== 'empty')
      faults.add({ code: 'unknown_field', message: 'A rule has “map” and “empty”.', pointer: at(pointer, key) });
  }
  const pairs: [string, string][] = [];
  if (isObject(map)) {
    for (const [from, to] of Object.entries(map)) {
      if (typeof to === 'string') pairs.push([from, to]);
      else
        faults.add({
          code: 'wrong_type',
          message: 'A value is replaced by text.',
          pointer: at(at(pointer, 'map'), from),
        });
    }
  } else if (map !== undefined)
    faults.add({ code: 'wrong_type', message: '“map” must be an object.', pointer: at(pointer, 'map') });
  const words = Array.isArray(empty) ? empty.filter((word): word is string => typeof word === 'string') : [];
  if (empty !== undefined && (!Array.isArray(empty) || words.length !== empty.length)) {
    faults.add({ code: 'wrong_type', message: '“empty” must be a list of texts.', pointer: at(pointer, 'empty') });
  }
  return {
    ...(pairs.length > 0 ? { map: Object.fromEntries(pairs) } : {}),
    ...(words.length > 0 ? { empty: words } : {}),
  };
}

function readKey(written: unknown, faults: Faults): readonly string[] | null {
  if (written === null || (Array.isArray(written) && written.length === 0)) return null;
  const keys = typeof written === 'string' ? [written] : written;
  if (Array.isArray(keys) && keys.every((key): key is string => typeof key === 'string')) return keys;
  faults.add({ code: 'wrong_type', message: '“upsertBy” must be a list of fields.', pointer: '/upsertBy' });
  return null;
}

/** Whether the fields may find a record: those that are shown on some records only would tell what the others hold. */
export function findsBy(scope: Scope, entity: Entity, fields: readonly string[]): boolean {
  const { readableFields } = scope.rights.of(entity.name);
  return fields.every((key) => readableFields.get(key) === 'always');
}

/** A row can only find its record by fields that no two records share, and that it has. */
function checkKey(scope: Scope, entity: Entity, { upsertBy, mapping }: ImportSettings, faults: Faults): void {
  if (!upsertBy) return;
  const rights = scope.rights.of(entity.name);
  const wanted = [...upsertBy].sort().join(' ');
  if (
    !findsBy(scope, entity, upsertBy) ||
    !entity.unique.some(({ fields }) => [...fields].sort().join(' ') === wanted)
  ) {
    const keys = entity.unique.map(({ fields }) => fields).filter((fields) => findsBy(scope, entity, fields));
    const allowed = keys.map((fields) => fields.join(' + ')).join(', ');
    faults.add({
      code: 'not_unique',
      message:
        allowed === ''
          ? 'This entity has no fields by which a record could be found.'
          : `Records can be found by: ${allowed}.`,
      pointer: '/upsertBy',
      params: { allowed: keys },
    });
    return;
  }
  if (rights.update.length === 0) {
    faults.add({
      code: 'forbidden',
      message: `You may not change records of “${entity.label}”.`,
      pointer: '/upsertBy',
    });
  }
  const mapped = new Set(Object.values(mapping).map(({ field }) => field));
  for (const key of upsertBy) {
    if (mapped.has(key)) continue;
    const label = entity.fields.get(key)?.label ?? key;
    faults.add({
      code: 'unmapped',
      message: `No column goes to ${label}, by which records are to be found.`,
      pointer: '/upsertBy',
    });
  }
}

function readFlag(written: unknown, faults: Faults): boolean {
  if (typeof written !== 'boolean')
    faults.add({ code: 'wrong_type', message: '“dryRun” must be true or false.', pointer: '/dryRun' });
  return written === true;
}

function oneOf<T extends string>(written: unknown, allowed: readonly T[], key: string, faults: Faults): T | null {
  const match = allowed.find((one) => one === written);
  if (match === undefined && written !== null) {
    faults.add({ code: 'choice', message: `“${key}” must be one of: ${allowed.join(' ')}.`, pointer: `/${key}` });
  }
  return match ?? null;
}
