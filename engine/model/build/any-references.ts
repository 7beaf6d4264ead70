/** References to one of several entities: each brings an ordinary reference for every entity, and says which has a value. */
import { fieldTypes } from '../fields/index.ts';
import type { AnyTarget } from '../relations.ts';
import { addCompanion, type DerivedContext, derivedId, fieldsOf } from './derived-field.ts';
import { type Draft, type DraftField, entityNamed } from './draft.ts';
import { bareField } from './fields.ts';
import { addOtherSide } from './lists.ts';

/** Before the lists, and before others may look through the references that these bring. */
export function tieAnyReferences(draft: Draft): void {
  for (const context of fieldsOf(draft, 'any_reference')) tieAnyReference(context);
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
