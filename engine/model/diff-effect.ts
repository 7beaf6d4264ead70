/** What the difference between two models means, in words: for the data, and for what people may see and do. */
import type { Entity, Field, Model, Role } from './model.ts';
import { type EntityRights, type Grant, rightsOf } from './rights.ts';
import { same } from './merge.ts';

export interface Effect {
  readonly data: readonly string[];
  /** Who gains or loses what. */
  readonly access: readonly string[];
}

export function effectOf(before: Model, after: Model): Effect {
  return { data: dataOf(before, after), access: accessOf(before, after) };
}

type Pair<T> = readonly [before: T | undefined, after: T | undefined];

/** Things that are the same: by their immutable identity, or (between organisations) by their name. */
function pairs<T extends { readonly id: string }>(
  before: readonly T[],
  after: readonly T[],
  name: (one: T) => string,
): readonly Pair<T>[] {
  const left = new Set(after);
  const found = before.map((one): Pair<T> => {
    const other = after.find(({ id }) => id === one.id) ?? after.find((it) => left.has(it) && name(it) === name(one));
    if (other) left.delete(other);
    return [one, other];
  });
  return [...found, ...[...left].map((one): Pair<T> => [undefined, one])];
}

function dataOf(before: Model, after: Model): readonly string[] {
  return pairs([...before.entities.values()], [...after.entities.values()], ({ name }) => name).flatMap(([was, is]) => {
    if (!was) return is ? [`${is.label} (${is.name}) is new.`] : [];
    if (!is) return [`${was.label} (${was.name}) is gone; its records are set aside.`];
    const renamed = was.name === is.name ? [] : [`${was.name} is called ${is.name}; its records stay.`];
    return [...renamed, ...fieldsOf(was, is)];
  });
}

function fieldsOf(before: Entity, after: Entity): readonly string[] {
  const on = after.label;
  const own = (entity: Entity) => [...entity.fields.values()].filter(({ system }) => !system);
  return pairs(own(before), own(after), ({ key }) => key).flatMap(([was, is]) => {
    if (!was) return is ? [`${on}: field ${is.label} (${is.key}) is new.`] : [];
    if (!is) return [`${on}: field ${was.label} (${was.key}) is gone; its values are set aside.`];
    return [
      ...(was.key === is.key ? [] : [`${on}: field ${was.key} is called ${is.key}; its values stay.`]),
      ...(typeOf(was) === typeOf(is) ? [] : [`${on}: field ${is.label} changes from ${typeOf(was)} to ${typeOf(is)}.`]),
      ...(was.required === is.required
        ? []
        : [`${on}: field ${is.label} ${is.required ? 'must have a value' : 'may be empty'}.`]),
      ...(was.unique === is.unique
        ? []
        : [`${on}: values of ${is.label} ${is.unique ? 'must differ' : 'may repeat'}.`]),
    ];
  });
}

const typeOf = ({ type, formula }: Field): string => (formula ? `formula (${type.key})` : type.key);

const VERBS = ['read', 'create', 'update', 'delete'] as const;

function accessOf(before: Model, after: Model): readonly string[] {
  const sentences: string[] = [];
  for (const key of new Set([...before.roles.keys(), ...after.roles.keys()])) {
    const [was, is] = [before.roles.get(key), after.roles.get(key)];
    const role = is ?? was;
    if (!role) continue;
    if (!was) sentences.push(`Role ${role.label} is new.`);
    if (!is) sentences.push(`Role ${role.label} is gone: who has only this role may do nothing.`);
    if (was && is && was.administrator !== is.administrator)
      sentences.push(
        is.administrator ? `${role.label} becomes an administrator.` : `${role.label} is no longer an administrator.`,
      );
    if (is) sentences.push(...entitiesOf(before, after, role));
  }
  return sentences;
}

function entitiesOf(before: Model, after: Model, { key, label }: Role): readonly string[] {
  const [own, now] = [rightsOf(before, [key]), rightsOf(after, [key])];
  return pairs([...before.entities.values()], [...after.entities.values()], ({ name }) => name).flatMap(([was, is]) => {
    // With the entity everything about it goes; that is told among the data.
    if (!is) return [];
    const [had, has] = [was ? own.of(was.name) : null, now.of(is.name)];
    return [
      ...VERBS.flatMap((verb) => grantsOf(label, is, verb, had?.[verb] ?? [], has[verb], was, is)),
      ...(['import', 'export'] as const).flatMap((verb) => {
        if ((had?.[verb] ?? false) === has[verb]) return [];
        return [`${label} ${has[verb] ? 'may now' : 'may no longer'} ${verb} ${is.pluralLabel}.`];
      }),
      ...(had && was ? fieldRights(label, was, is, had, has) : []),
    ];
  });
}

function grantsOf(
  role: string,
  entity: Entity,
  verb: (typeof VERBS)[number],
  had: readonly Grant[],
  has: readonly Grant[],
  before: Entity | undefined,
  after: Entity,
): readonly string[] {
  const [was, is] = [reach(had), reach(has)];
  const word = `${verb} ${entity.pluralLabel}`;
  if (was === is) {
    const changed = was === 'some' && !same(conditions(had, before), conditions(has, after));
    return changed ? [`Which ${entity.pluralLabel} ${role} may ${verb} changes.`] : [];
  }
  if (is === 'none') return [`${role} may no longer ${word}.`];
  if (was === 'none') return [`${role} may now ${word}${is === 'some' ? ' (some of them)' : ''}.`];
  return [
    is === 'all' ? `${role} may now ${word} without exception.` : `${role} may ${word} only under a condition now.`,
  ];
}

function reach(grants: readonly Grant[]): 'none' | 'some' | 'all' {
  if (grants.length === 0) return 'none';
  return grants.some(({ condition }) => condition === null) ? 'all' : 'some';
}

/** Conditions by what they look at, so that a renamed field is no change. */
function conditions(grants: readonly Grant[], entity: Entity | undefined): readonly string[] {
  const names = new Map([...(entity?.fields.values() ?? [])].map(({ id, key }) => [key, id]));
  const plain = (key: string, value: unknown) => {
    if (key === 'fieldId') return undefined;
    return key === 'field' && typeof value === 'string' ? (names.get(value) ?? value) : value;
  };
  return grants.map(({ condition }) => JSON.stringify(condition, plain)).sort();
}

/** Fields that a role gains or loses among those that are there before and after. */
function fieldRights(
  role: string,
  before: Entity,
  after: Entity,
  had: EntityRights,
  has: EntityRights,
): readonly string[] {
  const shared = pairs([...before.fields.values()], [...after.fields.values()], ({ key }) => key);
  const sentences: string[] = [];
  const tell = (
    phrase: readonly [gained: string, lost: string],
    may: (rights: EntityRights, field: Field) => boolean,
    relevant: boolean,
  ) => {
    if (!relevant) return;
    const gained: string[] = [];
    const lost: string[] = [];
    for (const [was, is] of shared) {
      if (!is || !was) continue;
      if (may(has, is) && !may(had, was)) gained.push(is.label);
      if (!may(has, is) && may(had, was)) lost.push(is.label);
    }
    if (gained.length > 0) sentences.push(`${role} ${phrase[0]} ${gained.join(', ')} of ${after.pluralLabel}.`);
    if (lost.length > 0) sentences.push(`${role} ${phrase[1]} ${lost.join(', ')} of ${after.pluralLabel}.`);
  };
  // Where the whole action came or went, its fields go without saying.
  const both = (verb: (typeof VERBS)[number]) => had[verb].length > 0 && has[verb].length > 0;
  tell(['now sees', 'no longer sees'], (rights, { key }) => rights.readableFields.has(key), both('read'));
  tell(
    ['may now change', 'may no longer change'],
    (rights, { key }) => rights.updatableFields.has(key),
    both('update'),
  );
  if (both('update')) {
    const gained = [...has.transitions.difference(had.transitions)];
    const lost = [...had.transitions.difference(has.transitions)];
    if (gained.length > 0) sentences.push(`${role} may now do ${gained.join(', ')} with ${after.pluralLabel}.`);
    if (lost.length > 0) sentences.push(`${role} may no longer do ${lost.join(', ')} with ${after.pluralLabel}.`);
  }
  return sentences;
}
