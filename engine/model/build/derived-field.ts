/** What the builders of derived fields share: the field with its document, and fields that come with it. */
import { createHash } from 'node:crypto';
import type { FieldDocument } from '../documents.ts';
import type { Place } from '../faults.ts';
import type { Draft, DraftEntity, DraftField } from './draft.ts';

export interface DerivedContext {
  readonly draft: Draft;
  readonly entity: DraftEntity;
  readonly field: DraftField;
  readonly document: FieldDocument;
  readonly at: (...path: readonly (string | number)[]) => Place;
}

/** Fields of a type that stand in a document. What they bring may be added meanwhile. */
export function* fieldsOf(draft: Draft, type: string): Generator<DerivedContext> {
  for (const entity of draft.entities.values()) {
    const notes = draft.notes.get(entity.name);
    for (const field of entity.fields.values()) {
      const written = notes?.written.get(field.key);
      if (!notes || !written || field.type.key !== type) continue;
      const at = (...path: readonly (string | number)[]) => notes.effective.place('fields', written.index, ...path);
      yield { draft, entity, field, document: written.document, at };
    }
  }
}

export const derivedId = (text: string): string => `f_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;

/** Flags that need a column. */
export function refuseFlags({ draft, field, document, at }: DerivedContext, why: string): void {
  for (const flag of ['required', 'unique', 'index', 'search'] as const) {
    if (document[flag])
      draft.faults.add(at(flag), 'invalid', `A ${field.type.key} field cannot have “${flag}”: ${why}.`);
  }
}

/** Puts a field beside the one that brings it. */
export function addCompanion({ draft, entity, field, at }: DerivedContext, companion: DraftField): void {
  if (entity.fields.has(companion.key)) {
    draft.faults.add(
      at('key'),
      'duplicate',
      `“${field.key}” brings the field “${companion.key}”, which is already there.`,
    );
    return;
  }
  entity.fields.set(companion.key, companion);
  field.companions = [...field.companions, companion.key];
}
