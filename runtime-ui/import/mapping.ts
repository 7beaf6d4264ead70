/** What the columns of a file become. */
import type { UiEntity, UiField, UiModel } from '../../engine/api/ui-model.ts';
import type { Settings, Upload } from '../api/imports.ts';
import { fieldOf } from '../api/model.ts';
import { writable } from '../form/wire.ts';

/** By column; `null` leaves it out. `by`: the unique field of the target a reference is found by. */
export type Mapping = Readonly<Record<string, { readonly field: string; readonly by?: string } | null>>;

/** Fields a column may go to. */
export function targets(entity: UiEntity): readonly UiField[] {
  return entity.fields.filter(
    (field) =>
      (!field.list || field.list.via === 'links') &&
      !field.targets &&
      (writable(field, 'create') || writable(field, 'update')),
  );
}

/** The unique single fields the target of a reference can be found by. */
export function findableBy(model: UiModel, field: UiField): readonly UiField[] {
  const target = model.entities[field.reference ?? field.list?.entity ?? ''];
  return target
    ? target.uniqueKeys.flatMap((key) =>
        key.length === 1 && key[0] && key[0] !== 'id' ? (fieldOf(target, key[0]) ?? []) : [],
      )
    : [];
}

/** The column's part of the mapping for a field, found by the first unique field of its target. */
export function goesTo(model: UiModel, entity: UiEntity, key: string): Mapping[string] {
  const field = fieldOf(entity, key);
  if (!field) return null;
  const by = field.reference || field.list ? findableBy(model, field)[0]?.key : undefined;
  return by ? { field: key, by } : { field: key };
}

/** What the server proposed. */
export function proposed(model: UiModel, entity: UiEntity, upload: Upload): Mapping {
  const known = new Set(targets(entity).map((field) => field.key));
  return Object.fromEntries(
    upload.columns.map((column) => [
      column,
      goesTo(model, entity, known.has(upload.mapping[column] ?? '') ? (upload.mapping[column] ?? '') : ''),
    ]),
  );
}

/** Keys of fields that more than one column goes to. */
export function duplicates(mapping: Mapping): readonly string[] {
  const keys = Object.values(mapping).flatMap((target) => target?.field ?? []);
  return [...new Set(keys.filter((key, at) => keys.indexOf(key) !== at))];
}

/** Required fields no column goes to, and that nothing else fills. */
export function unmapped(entity: UiEntity, mapping: Mapping): readonly UiField[] {
  const keys = new Set(Object.values(mapping).flatMap((target) => target?.field ?? []));
  return entity.fields.filter(
    (field) =>
      field.required &&
      field.default === null &&
      !field.system &&
      !field.list &&
      writable(field, 'create') &&
      !keys.has(field.key),
  );
}

/** Unique keys whose fields are all mapped: rows can be matched by them. */
export function matchable(entity: UiEntity, mapping: Mapping): readonly (readonly string[])[] {
  const keys = new Set(Object.values(mapping).flatMap((target) => target?.field ?? []));
  return entity.uniqueKeys.filter((unique) => unique.every((key) => keys.has(key)));
}

export function settingsOf(
  mapping: Mapping,
  upsertBy: readonly string[] | null,
  dryRun: boolean,
  look: boolean,
): Settings {
  const used = Object.entries(mapping).flatMap(([column, target]) => (target ? [[column, target] as const] : []));
  return {
    mapping: Object.fromEntries(used),
    ...(upsertBy ? { upsertBy } : {}),
    dryRun,
    duplicates: look ? 'report' : null,
  };
}
