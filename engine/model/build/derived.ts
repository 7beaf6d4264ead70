/**
 * Fields whose values come from other records: lookups, rollups, references to one of several entities. What they are
 * like follows from what they lead to, so all entities, references and lists are there before.
 */
import { createHash } from 'node:crypto';
import type { Step } from '../../condition/condition.ts';
import type { Place } from '../faults.ts';
import { fieldTypes } from '../fields/index.ts';
import { lookupOf } from '../fields/types/lookup.ts';
import type { FieldDocument } from '../documents.ts';
import type { AnyTarget } from '../relations.ts';
import { type Draft, type DraftEntity, type DraftField, entityNamed, fieldNamed } from './draft.ts';
import { bareField } from './fields.ts';
import { addOtherSide } from './lists.ts';
import { tieRollup } from './rollups.ts';

export interface DerivedContext {
  readonly draft: Draft;
  readonly entity: DraftEntity;
  readonly field: DraftField;
  readonly document: FieldDocument;
  readonly at: (...path: readonly (string | number)[]) => Place;
}

/** References to one of several entities: they bring references of their own, which others may look through. */
export function tieAnyReferences(draft: Draft): void {
  for (const context of fieldsOf(draft, 'any_reference')) tieAnyReference(context);
}

export function buildDerived(draft: Draft): void {
  const under = new Set<DraftField>();
  const done = new Set<DraftField>();
  const contexts = new Map([...fieldsOf(draft, 'lookup'), ...fieldsOf(draft, 'rollup')].map((one) => [one.field, one]));
  // A lookup of a lookup, or a rollup of one, needs that one first.
  const tie = (field: DraftField): boolean => {
    const context = contexts.get(field);
    if (!context || done.has(field)) return true;
    if (under.has(field)) {
      draft.faults.add(context.at('field'), 'cycle', `“${field.key}” leads back to itself.`);
      return false;
    }
    under.add(field);
    if (field.type.key === 'lookup') tieLookup(context, tie);
    else tieRollup(context, tie);
    done.add(field);
    return true;
  };
  for (const field of contexts.keys()) tie(field);
}

function* fieldsOf(draft: Draft, type: string): Generator<DerivedContext> {
  for (const entity of draft.entities.values()) {
    const notes = draft.notes.get(entity.name);
    for (const field of [...entity.fields.values()]) {
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

function tieLookup(context: DerivedContext, tie: (field: DraftField) => boolean): void {
  const { draft, entity, field, at } = context;
  const { via, field: key } = field.options;
  // Whatever is wrong, no column is asked for what has none.
  field.column = null;
  if (typeof via !== 'string' || typeof key !== 'string') return;
  refuseFlags(context, 'it has no column of its own');
  const steps: Step[] = [];
  let place = entity;
  for (const name of via.split('.')) {
    const step = fieldNamed(draft, place, name, at('via'));
    const target = step?.reference ? draft.entities.get(step.reference.entity) : undefined;
    if (step && (!target || step.column === null))
      draft.faults.add(at('via'), 'invalid', `“${name}” is no reference to one record.`, { found: step.type.key });
    if (!step || !target) return;
    steps.push({ field: step.key, fieldId: step.id, entity: target.name, table: target.table });
    place = target;
  }
  const target = fieldNamed(draft, place, key, at('field'));
  if (!target || !tie(target)) return;
  const further = target.derived?.kind === 'lookup' ? target.derived : null;
  const end = further ? draft.entities.get(further.entity)?.fields.get(further.field) : target;
  const way = [...steps, ...(further?.steps ?? [])];
  if (way.length > 3) {
    draft.faults.add(at('via'), 'invalid', 'A path may follow at most 3 references.', { max: 3, found: via });
    return;
  }
  if (!end || end.column === null || end.reference !== null || end.type.internal === true) {
    draft.faults.add(
      at('field'),
      'invalid',
      `“${key}” (${target.type.key}) holds no value that could be looked up. Look up a field of the record it leads to.`,
      { found: key },
    );
    return;
  }
  field.type = lookupOf(end.type);
  field.options = { ...end.options, ...field.options };
  field.choices = end.choices;
  field.derived = {
    kind: 'lookup',
    steps: way,
    entity: further?.entity ?? place.name,
    field: end.key,
  };
  if (end.currencyField === null) return;
  // An amount comes with its currency, wherever it is shown.
  const currency = draft.entities.get(field.derived.entity)?.fields.get(end.currencyField);
  if (!currency) return;
  const companion: DraftField = {
    ...bareField(lookupOf(currency.type), `${field.key}_currency`, `${field.label} currency`),
    id: derivedId(`currency ${field.id}`),
    column: null,
    derived: { ...field.derived, field: currency.key },
    companionOf: field.key,
  };
  addCompanion(context, companion);
  field.currencyField = companion.key;
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

/** Longest key; what it is made from is cut for it. */
const MAX_KEY = 40;

function tieAnyReference(context: DerivedContext): void {
  const { draft, entity, field, document, at } = context;
  const { to, onDelete } = field.options;
  if (!Array.isArray(to)) return;
  for (const flag of ['unique', 'index', 'search'] as const) {
    if (document[flag])
      draft.faults.add(at(flag), 'invalid', `A ${field.type.key} field cannot have “${flag}”: its references have.`);
  }
  const type = fieldTypes.get('reference');
  const targets: AnyTarget[] = [];
  const named = to.filter((name): name is string => typeof name === 'string');
  for (const [index, name] of named.entries()) {
    const target = entityNamed(draft, name, entity.pack, at('to', index));
    if (!target || !type) continue;
    if (targets.some((other) => other.entity === target.name)) {
      draft.faults.add(at('to', index), 'duplicate', `${target.name} is named twice.`, { found: name });
      continue;
    }
    // Two packs may each have an entity of this key.
    const alone = named.every((other, at) => at === index || other.split('.').at(-1) !== target.key);
    const key = `${field.key}_${alone ? target.key : `${target.pack}_${target.key}`}`;
    if (key.length > MAX_KEY) {
      draft.faults.add(
        at('key'),
        'invalid',
        `The key is too long: “${key}” would have more than ${MAX_KEY} characters.`,
      );
      continue;
    }
    const action = onDelete === 'clear' || onDelete === 'cascade' ? onDelete : 'restrict';
    const companion: DraftField = {
      ...bareField(type, key, `${field.label}: ${target.label}`),
      // Neither a rename of the field nor of the entity makes another column of it.
      id: derivedId(`${field.id} ${target.id}`),
      reference: { entity: target.name, onDelete: action },
      companionOf: field.key,
    };
    addCompanion(context, companion);
    targets.push({ entity: target.name, field: key });
    const many = { via: 'inverse', entity: entity.name, field: key } as const;
    addOtherSide(draft, entity, { ...companion, options: field.options }, target, many, at);
  }
  if (onDelete === 'clear' && field.required)
    draft.faults.add(at('onDelete'), 'invalid', 'A required reference cannot be cleared.', {
      found: 'clear',
      expected: ['restrict', 'cascade'],
    });
  field.derived = { kind: 'any', targets };
  for (const [suffix, kind] of [
    ['_entity', 'any_entity'],
    ['_id', 'any_id'],
  ] as const) {
    const computed = fieldTypes.get(kind);
    if (!computed) continue;
    addCompanion(context, {
      ...bareField(computed, `${field.key}${suffix}`, `${field.label} ${suffix.slice(1)}`),
      id: derivedId(`${field.id}${suffix}`),
      options: { ways: targets, needed: field.required },
      companionOf: field.key,
    });
  }
}
