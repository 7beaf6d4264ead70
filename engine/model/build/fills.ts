/** Values that come from another record: that record's entity, its field, and the references that must agree. */
import type { FieldDocument } from '../documents.ts';
import type { Fill, FillMatch } from '../fill.ts';
import { conditionAt } from './conditions.ts';
import { type Draft, type DraftEntity, type DraftField, entityNamed, fieldNamed } from './draft.ts';

type At = (...path: readonly (string | number)[]) => { readonly document: string; readonly pointer: string };

export function buildFills(draft: Draft, entity: DraftEntity): void {
  const notes = draft.notes.get(entity.name);
  for (const field of entity.fields.values()) {
    const written = notes?.written.get(field.key);
    if (!notes || !written?.document.fill || field.system) continue;
    const at: At = (...path) => notes.effective.place('fields', written.index, 'fill', ...path);
    field.fill = buildFill(draft, entity, field, written.document.fill, at);
  }
}

function buildFill(
  draft: Draft,
  entity: DraftEntity,
  field: DraftField,
  document: NonNullable<FieldDocument['fill']>,
  at: At,
): Fill | null {
  const refuse = (message: string, found: unknown, ...path: readonly (string | number)[]) =>
    draft.faults.add(at(...path), 'invalid', message, { found });
  if (
    field.readOnly ||
    field.column === null ||
    field.type.sealed ||
    field.type.attached ||
    field.type.computed ||
    field.lifecycle !== null
  )
    refuse(`A ${field.type.key} field cannot be filled from another record.`, field.type.key);
  if (field.default !== undefined)
    refuse('A field has a “default” or a “fill”: the one would leave nothing for the other.', field.key);
  const target = entityNamed(draft, document.from, entity.pack, at('from'));
  if (!target) return null;
  const source = fieldNamed(draft, target, document.field, at('field'));
  if (source && (source.column === null || source.type.key !== field.type.key))
    refuse(`“${document.field}” is not a ${field.type.key} field, as “${field.key}” is.`, source.type.key, 'field');
  else if (source) refuseOthers(field, source, (message, found) => refuse(message, found, 'field'));
  const match = Object.entries(document.match).flatMap(([key, path]) =>
    matched(draft, entity, target, key, path, at('match', key)),
  );
  const order = (document.order ?? []).flatMap((term, index) => {
    const key = term.replace(/^-/, '');
    const by = fieldNamed(draft, target, key, at('order', index));
    if (by && (by.column === null || !by.type.sortable))
      refuse(`Nothing is ordered by “${key}” (${by.type.key}).`, key, 'order', index);
    return [{ field: key, descending: term.startsWith('-') }];
  });
  const when = conditionAt(draft, document.when, target, at('when'));
  return { entity: target.name, field: document.field, match, when, order };
}

/**
 * What no single value can make good. Bounds, lengths and patterns may be wider over there: the database looks at the
 * value that is found.
 */
function refuseOthers(field: DraftField, source: DraftField, refuse: (message: string, found: unknown) => void): void {
  if (source.reference?.entity !== field.reference?.entity)
    refuse(`“${source.key}” refers to other records than “${field.key}”.`, source.reference?.entity);
  // How large and how deep JSON may be is known to the engine alone.
  const [there, here] = [source, field].map(({ options }) => JSON.stringify([options['max'], options['maxDepth']]));
  if (field.type.structured && there !== here)
    refuse(`“${source.key}” has not the limits that “${field.key}” has.`, source.options);
}

/** Both sides name records of one entity. */
function matched(
  draft: Draft,
  entity: DraftEntity,
  target: DraftEntity,
  key: string,
  path: string,
  place: { readonly document: string; readonly pointer: string },
): readonly FillMatch[] {
  const [by = '', of = null] = path.split('.');
  const there = fieldNamed(draft, target, key, place);
  const here = fieldNamed(draft, entity, by, place);
  if (!there || !here) return [];
  const way = of === null ? null : draft.entities.get(here.reference?.entity ?? '');
  const end = of === null ? here : way && fieldNamed(draft, way, of, place);
  if (end === undefined && way === undefined)
    draft.faults.add(place, 'invalid', `“${by}” leads to no other record.`, { found: path });
  const wanted = key === 'id' ? target.name : there.reference?.entity;
  if (end && (wanted === undefined || end.reference?.entity !== wanted || end.column === null))
    draft.faults.add(place, 'invalid', `“${path}” and “${key}” do not refer to records of one entity.`, {
      found: end.reference?.entity ?? end.type.key,
      ...(wanted !== undefined && { expected: wanted }),
    });
  return [{ field: key, by, of }];
}
