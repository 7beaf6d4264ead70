/** Entities with their fields, titles and keys; then what ties them to each other. */
import { createHash } from 'node:crypto';
import { fit } from '../../db/identifiers.ts';
import type { EntityDocument, FieldDocument } from '../documents.ts';
import type { Place } from '../faults.ts';
import type { EffectiveDocument } from '../layers.ts';
import type { UniqueKey } from '../model.ts';
import { candidates, lookUp, readable } from '../naming.ts';
import { systemFields, TEAM_ENTITY, USER_ENTITY } from '../system-fields.ts';
import { tieAnyReferences } from './any-references.ts';
import { buildDuplicates } from './duplicates.ts';
import {
  type Draft,
  type DraftEntity,
  type DraftField,
  entityNamed,
  fieldNamed,
  flagNamed,
  noDoubles,
} from './draft.ts';
import { documentFields, systemField } from './fields.ts';
import { tieLists } from './lists.ts';

export function buildEntities(draft: Draft): void {
  const documents = draft.effective.of('entity');
  for (const effective of documents) buildEntity(draft, effective);
  checkCollisions(draft);
  for (const entity of draft.entities.values()) tieFields(draft, entity);
  tieAnyReferences(draft);
  for (const entity of draft.entities.values()) tieLists(draft, entity);
  for (const entity of draft.entities.values()) {
    tieParent(draft, entity);
    buildTitle(draft, entity);
    buildUnique(draft, entity);
    checkPartition(draft, entity);
    buildDuplicates(draft, entity);
  }
  // The children's parents are known only now.
  for (const entity of draft.entities.values()) tieChildren(draft, entity);
}

function buildEntity(draft: Draft, effective: EffectiveDocument<EntityDocument>): void {
  const { document, pack, place } = effective;
  const { key, plural, label } = document;
  const name = `${pack}.${key}`;
  const fields = new Map<string, DraftField>();
  for (const system of systemFields(document)) {
    const field = systemField({ draft, entity: name, place }, system);
    if (field) fields.set(field.key, field);
  }
  const written = new Map<string, { readonly document: FieldDocument; readonly index: number }>();
  noDoubles(draft, document.fields, 'fields', (index) => place('fields', index, 'key'));
  document.fields.forEach((field, index) => {
    written.set(field.key, { document: field, index });
    const at = (...path: readonly (string | number)[]) => place('fields', index, ...path);
    for (const built of documentFields({ draft, entity: name, place: at }, field)) {
      const before = fields.get(built.key);
      if (before && built.key !== field.key)
        draft.faults.add(
          at('key'),
          'duplicate',
          `“${field.key}” brings the field “${built.key}”, which is already there.`,
        );
      fields.set(built.key, built);
    }
  });
  draft.notes.set(name, { effective, written });
  draft.entities.set(name, {
    id: draft.identities.entities[name] ?? '',
    name,
    pack,
    key,
    plural,
    label,
    pluralLabel: document.pluralLabel ?? readable(plural),
    icon: document.icon ?? null,
    path: `${pack}/${plural}`,
    table: fit(`${pack}_${plural}`),
    title: { template: '', fields: [] },
    owner: document.owner ?? false,
    softDelete: document.softDelete ?? false,
    history: document.history ?? false,
    partition: document.partition ? { keep: document.partition.keep ?? null } : null,
    concurrency: document.concurrency ?? 'optional',
    sharing: document.sharing ?? false,
    keepDays: document.bin?.keepDays ?? null,
    duplicates: [],
    parent: null,
    fields,
    fieldsById: new Map(),
    flag: flagNamed(draft, document.flag, pack, place('flag')),
    unique: [],
    permissions: [],
  });
}

function checkCollisions(draft: Draft): void {
  const paths = new Map<string, string>();
  const tables = new Map<string, string>();
  for (const { name, path, table, plural } of draft.entities.values()) {
    const place = draft.notes.get(name)?.effective.place('plural') ?? { document: name, pointer: '/plural' };
    const samePath = paths.get(path);
    const sameTable = tables.get(table);
    if (samePath !== undefined)
      draft.faults.add(place, 'duplicate', `The plural “${plural}” is already that of ${samePath}.`, { found: plural });
    else if (sameTable !== undefined)
      draft.faults.add(place, 'duplicate', `Its table “${table}” would be that of ${sameTable}.`, { found: table });
    paths.set(path, name);
    tables.set(table, name);
  }
}

/** What the fields' options say of other documents: the entity a reference points at, the lifecycle of a state. */
function tieFields(draft: Draft, entity: DraftEntity): void {
  const notes = draft.notes.get(entity.name);
  for (const field of entity.fields.values()) {
    const at = (...path: readonly (string | number)[]) =>
      notes?.effective.place('fields', notes.written.get(field.key)?.index ?? 0, ...path) ?? {
        document: entity.name,
        pointer: '',
      };
    const { to, onDelete, lifecycle } = field.options;
    const pointsAt =
      { user: USER_ENTITY, team: TEAM_ENTITY }[field.type.key] ?? (field.type.key === 'reference' ? to : undefined);
    if (typeof pointsAt === 'string') {
      const target = field.system ? pointsAt : entityNamed(draft, pointsAt, entity.pack, at('to'))?.name;
      const action = onDelete === 'clear' || onDelete === 'cascade' ? onDelete : 'restrict';
      if (action === 'clear' && field.required)
        draft.faults.add(at('onDelete'), 'invalid', 'A required reference cannot be cleared.', {
          found: 'clear',
          expected: ['restrict', 'cascade'],
        });
      if (target !== undefined) field.reference = { entity: target, onDelete: action };
    }
    if (field.type.key === 'sequence') tieSequence(draft, entity, field, at);
    if (field.type.key === 'state' && typeof lifecycle === 'string') {
      const found = lookUp(lifecycle, entity.pack, (name) => draft.lifecycles.has(name));
      const used = found === undefined ? undefined : draft.lifecycles.get(found);
      if (!used) {
        draft.faults.unknown(at('lifecycle'), 'lifecycle', lifecycle, candidates(draft.lifecycles.keys(), entity.pack));
        continue;
      }
      field.lifecycle = used.name;
      field.choices = [...used.states.values()].map(({ key, label, color }) => ({ key, label, color }));
      // Every record stands somewhere.
      field.required = true;
      field.default = used.initial;
    }
  }
}

/** A field that draws from a named sequence has its options from there. */
function tieSequence(
  draft: Draft,
  entity: DraftEntity,
  field: DraftField,
  at: (...path: readonly (string | number)[]) => Place,
): void {
  const { sequence: name, ...own } = field.options;
  if (typeof name !== 'string') return;
  const found = lookUp(name, entity.pack, (qualified) => draft.sequences.has(qualified));
  const sequence = found === undefined ? undefined : draft.sequences.get(found);
  if (!sequence) {
    draft.faults.unknown(at('sequence'), 'sequence', name, candidates(draft.sequences.keys(), entity.pack));
    return;
  }
  for (const key of Object.keys(own))
    draft.faults.add(at(key), 'invalid', `“${key}” is said by the sequence “${name}” that the field draws from.`, {
      found: key,
    });
  const { prefix, digits, start, gapless } = sequence;
  field.options = { sequence: sequence.name, prefix, digits, start, gapless };
}

function tieParent(draft: Draft, entity: DraftEntity): void {
  const notes = draft.notes.get(entity.name);
  const key = notes?.effective.document.parent;
  if (notes === undefined || key === undefined) return;
  const place = notes.effective.place('parent');
  const field = fieldNamed(draft, entity, key, place);
  if (!field) return;
  if (field.type.key !== 'reference' || !field.required || field.reference === null) {
    if (field.type.key !== 'reference' || !field.required)
      draft.faults.add(place, 'invalid', `“${key}” must be a required reference: a part cannot be without its whole.`);
    return;
  }
  if (entity.owner)
    draft.faults.add(
      notes.effective.place('owner'),
      'invalid',
      'A part has no owner of its own: its rights follow its parent.',
    );
  if (entity.sharing)
    draft.faults.add(notes.effective.place('sharing'), 'invalid', 'A part is shared with its parent.');
  if (notes.written.get(key)?.document['onDelete'] === undefined)
    field.reference = { ...field.reference, onDelete: 'cascade' };
  entity.parent = { entity: field.reference.entity, field: key };
}

/** Postgres keeps unique what lies in one part; nothing can refer to a record whose part goes as a whole. */
function checkPartition(draft: Draft, entity: DraftEntity): void {
  const effective = draft.notes.get(entity.name)?.effective;
  if (entity.partition === null || !effective) return;
  const [key] = entity.unique;
  if (key) {
    draft.faults.add(
      effective.place('partition'),
      'invalid',
      `A partitioned entity cannot keep ${key.fields.join(', ')} unique: only the months can be looked at one by one.`,
      { found: key.fields },
    );
  }
  for (const other of draft.entities.values()) {
    for (const field of other.fields.values()) {
      if (field.reference?.entity !== entity.name) continue;
      draft.faults.add(
        effective.place('partition'),
        'invalid',
        `“${other.name}.${field.key}” refers to it: a record that goes with its month cannot be referred to.`,
        { found: `${other.name}.${field.key}` },
      );
    }
  }
}

function tieChildren(draft: Draft, entity: DraftEntity): void {
  const notes = draft.notes.get(entity.name);
  for (const field of entity.fields.values()) {
    const { of } = field.options;
    if (field.type.key !== 'children' || typeof of !== 'string' || notes === undefined) continue;
    const place = notes.effective.place('fields', notes.written.get(field.key)?.index ?? 0, 'of');
    const child = entityNamed(draft, of, entity.pack, place);
    if (!child) continue;
    if (child.parent?.entity !== entity.name) {
      draft.faults.add(
        place,
        'invalid',
        `${child.name} is not a part of ${entity.name}: its “parent” must be a reference to it.`,
        { found: child.name },
      );
      continue;
    }
    field.children = { entity: child.name, field: child.parent.field };
    field.many = { via: 'children', entity: child.name, field: child.parent.field };
  }
}

function buildTitle(draft: Draft, entity: DraftEntity): void {
  const notes = draft.notes.get(entity.name);
  const written = notes?.effective.document.title;
  if (notes === undefined || written === undefined) {
    const own = [...entity.fields.values()].filter((field) => !field.system && field.type.key === 'text');
    const field = own.find(({ required }) => required) ?? own[0];
    const key = field?.key ?? 'id';
    entity.title = { template: `{${key}}`, fields: [key] };
    return;
  }
  const place = notes.effective.place('title');
  const keys = [...written.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '');
  if (keys.length === 0)
    draft.faults.add(place, 'invalid', 'A title names at least one field in braces, e.g. “{name}”.', {
      found: written,
    });
  for (const key of keys) {
    const field = fieldNamed(draft, entity, key, place);
    if (
      field &&
      (field.column === null ||
        field.type.valueType === 'texts' ||
        field.type.sealed ||
        field.type.structured ||
        field.type.attached)
    )
      draft.faults.add(place, 'invalid', `“${key}” holds no single value to show in a title.`);
  }
  entity.title = { template: written, fields: [...new Set(keys)] };
}

function buildUnique(draft: Draft, entity: DraftEntity): void {
  const notes = draft.notes.get(entity.name);
  const sets: (readonly string[])[] = [...entity.fields.values()]
    .filter(({ unique }) => unique)
    .map(({ key }) => [key]);
  notes?.effective.document.unique?.forEach((keys, index) => {
    const fields = keys.map((key, position) =>
      fieldNamed(draft, entity, key, notes.effective.place('unique', index, position)),
    );
    if (
      fields.some(
        (field) =>
          field &&
          (field.column === null ||
            field.type.computed ||
            field.type.keyed === false ||
            field.type.valueType === 'texts'),
      )
    ) {
      draft.faults.add(
        notes.effective.place('unique', index),
        'invalid',
        'Only fields with a column of their own and one value can be unique together.',
      );
    } else sets.push(keys);
  });
  const unique = new Map<string, UniqueKey>();
  for (const keys of sets) {
    const ids = keys.map((key) => entity.fields.get(key)?.id ?? key).sort();
    const id = `u_${createHash('sha256').update(ids.join(' ')).digest('hex').slice(0, 12)}`;
    if (!unique.has(id)) unique.set(id, { id, fields: keys });
  }
  entity.unique = [...unique.values()];
}
