/** Permissions: who may do what with which fields of which records. */
import type { FieldSetDocument, PermissionDocument } from '../documents.ts';
import type { Place } from '../faults.ts';
import { frozenSet } from '../frozen.ts';
import type { EffectiveDocument } from '../layers.ts';
import { ACTIONS, inputsOf, type Permission } from '../model.ts';
import { permissionEntity, permissionName } from '../naming.ts';
import { conditionAt } from './conditions.ts';
import { type Draft, type DraftEntity, type DraftField, entityNamed, fieldNamed } from './draft.ts';

type Verb = 'read' | 'create' | 'update';

/** Always readable where the record is: without them nobody can name the record or change it safely. */
export const ALWAYS_READ: readonly string[] = ['id', 'version'];

export function buildPermissions(draft: Draft): void {
  for (const effective of draft.effective.of('permission')) buildPermission(draft, effective);
  // An administrator's rights are permissions like any other, so that nothing else needs to know of administrators.
  for (const role of draft.roles.values()) {
    if (!role.administrator) continue;
    for (const entity of draft.entities.values()) {
      if (entity.parent) continue;
      entity.permissions.push({
        id: `administrator/${role.key}/${entity.id}`,
        role: role.key,
        entity: entity.name,
        actions: frozenSet(ACTIONS),
        fields: { read: null, create: null, update: null },
        transitions: null,
        condition: null,
      });
    }
  }
}

function buildPermission(draft: Draft, { document, pack, place }: EffectiveDocument<PermissionDocument>): void {
  if (!draft.roles.has(document.role)) draft.faults.unknown(place('role'), 'role', document.role, draft.roles.keys());
  const written = permissionEntity(document);
  const where = place(document.entity === undefined ? 'resource' : 'entity');
  if (written === '') {
    draft.faults.add(place(), 'missing', '“entity” is missing.', { expected: 'entity' });
    return;
  }
  const entity = entityNamed(draft, written, pack, where);
  if (!entity) return;
  if (entity.parent) {
    draft.faults.add(
      where,
      'invalid',
      `${entity.name} is a part of ${entity.parent.entity}: its rights follow those of its parent.`,
      { found: written, expected: entity.parent.entity },
    );
    return;
  }
  if (document.condition !== undefined && document.conditions !== undefined) {
    draft.faults.add(place('conditions'), 'invalid', 'A permission has either “condition” or “conditions”.');
  }
  const { read, create, update } = document.fields ?? {};
  const of = (verb: Verb, set: FieldSetDocument | undefined) =>
    fieldSet(draft, entity, verb, set, (...path) => place('fields', verb, ...path));
  const name = permissionName(document.role, entity.name, document.key);
  const permission: Permission = {
    id: draft.identities.permissions[name] ?? name,
    role: document.role,
    entity: entity.name,
    actions: frozenSet(document.actions),
    fields: {
      read: of('read', read),
      create: withoutRoles(draft, entity, document, place, 'create', of('create', create)),
      update: withoutRoles(draft, entity, document, place, 'update', of('update', update)),
    },
    transitions: transitionsOf(draft, entity, document, place),
    condition:
      document.conditions === undefined
        ? conditionAt(draft, document.condition, entity, place('condition'))
        : conditionAt(draft, document.conditions, entity, place('conditions'), { short: true }),
  };
  entity.permissions.push(permission);
}

/** Where people's roles stand. */
const ROLES = { entity: 'core.user', field: 'roles' } as const;

/**
 * Whoever may write people's roles can make themselves an administrator: only administrators may. A permission that
 * gives every field of a user gives every other one, and one that names the roles is refused.
 */
function withoutRoles(
  draft: Draft,
  entity: DraftEntity,
  document: PermissionDocument,
  place: EffectiveDocument<PermissionDocument>['place'],
  verb: 'create' | 'update',
  fields: ReadonlySet<string> | null,
): ReadonlySet<string> | null {
  const roles = entity.name === ROLES.entity ? entity.fields.get(ROLES.field) : undefined;
  if (!roles || draft.roles.get(document.role)?.administrator) return fields;
  const index = document.fields?.[verb]?.only?.indexOf(roles.key) ?? -1;
  if (index >= 0) {
    draft.faults.add(
      place('fields', verb, 'only', index),
      'invalid',
      `Only administrators assign roles: whoever may write “${roles.key}” could become one.`,
      { found: roles.key },
    );
  }
  return frozenSet([...(fields ?? [...entity.fields.values()].map(({ id }) => id))].filter((id) => id !== roles.id));
}

/** Field ids; `null` = every field. */
function fieldSet(
  draft: Draft,
  entity: DraftEntity,
  verb: Verb,
  set: FieldSetDocument | undefined,
  place: (...path: (string | number)[]) => Place,
): ReadonlySet<string> | null {
  if (set === undefined) return null;
  const named = new Set<string>();
  const collect = (keys: readonly string[] | undefined, list: string) => {
    keys?.forEach((key, index) => {
      const field = fieldNamed(draft, entity, key, place(list, index));
      if (!field) return;
      if (
        list === 'only' &&
        verb !== 'read' &&
        field.readOnly &&
        !(verb === 'create' && (key === 'owner' || field.lifecycle !== null))
      ) {
        draft.faults.add(
          place(list, index),
          'invalid',
          `“${key}” is never written by people, so nobody can be allowed to.`,
          { found: key },
        );
      }
      named.add(key);
      // An amount without its currency says nothing, and the currency alone tells that there is an amount. So for all companions.
      for (const companion of field.companions) named.add(companion);
    });
  };
  collect(set.only, 'only');
  collect(set.except, 'except');
  const keys = set.only === undefined ? [...entity.fields.keys()].filter((key) => !named.has(key)) : [...named];
  const all = new Set(verb === 'read' ? [...keys, ...ALWAYS_READ] : keys);
  if (verb === 'read') dropBlindFormulas(entity, all);
  return frozenSet([...all].map((key) => entity.fields.get(key)?.id ?? key));
}

/** A formula tells of its inputs: who may not read one of them may not read it either. */
function dropBlindFormulas(entity: DraftEntity, keys: Set<string>): void {
  // A reference to one of several entities is made of its parts, and some of these of it.
  const readable = (key: string, under: readonly string[]): boolean =>
    under.includes(key) ||
    (keys.has(key) && inputs(entity.fields.get(key)).every((input) => readable(input, [...under, key])));
  for (const key of entity.fields.keys()) if (!readable(key, [])) keys.delete(key);
}

const inputs = (field: DraftField | undefined): readonly string[] => (field ? inputsOf(field) : []);

function transitionsOf(
  draft: Draft,
  entity: DraftEntity,
  document: PermissionDocument,
  place: (...path: (string | number)[]) => Place,
): ReadonlySet<string> | null {
  if (document.transitions === undefined) return null;
  const known = new Set<string>();
  for (const { lifecycle } of entity.fields.values()) {
    for (const key of (lifecycle === null ? undefined : draft.lifecycles.get(lifecycle))?.transitions.keys() ?? [])
      known.add(key);
  }
  document.transitions.forEach((key, index) => {
    if (!known.has(key)) draft.faults.unknown(place('transitions', index), `step of ${entity.name}`, key, known);
  });
  return frozenSet(document.transitions);
}
