/** The addresses in the body of a write that are to be looked up, with where they stand and whose they are. */
import { validate as isUuid } from 'uuid';
import { asksForMail } from '../model/mail.ts';
import type { Entity, Field, Model } from '../model/model.ts';
import { at, isObject, valueContext } from '../records/write/validate.ts';
import type { Inspected } from '../records/write/inspector.ts';
import type { Scope } from '../records/scope.ts';

export interface Address {
  readonly entity: Entity;
  readonly field: Field;
  readonly pointer: string;
  /** As it would be stored. */
  readonly address: string;
  /** Fields and values by which the record may be found that perhaps has this address already. */
  readonly whose: readonly (readonly [field: Field, value: string])[];
}

const asking = new WeakMap<Model, ReadonlySet<string>>();

/** Names of the entities whose writes may hold such an address, in the record or in those sent with it. */
export function entitiesAsking(model: Model): ReadonlySet<string> {
  const known = asking.get(model);
  if (known) return known;
  const entities = [...model.entities.values()];
  const found = new Set(
    entities.filter(({ fields }) => [...fields.values()].some(asksForMail)).map(({ name }) => name),
  );
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const { name, fields } of entities) {
      const holds = ({ children, reference }: Field) => found.has(children?.entity ?? reference?.entity ?? '');
      if (!found.has(name) && [...fields.values()].some(holds)) found.add(name);
    }
  }
  asking.set(model, found);
  return found;
}

export function addressesIn({ scope, entity, body, target }: Inspected): readonly Address[] {
  const found: Address[] = [];
  const bodies: readonly unknown[] = Array.isArray(body) ? body : [body];
  bodies.forEach((one, index) => {
    const pointer = Array.isArray(body) ? at('', index) : '';
    collect(scope, entity, one, pointer, target ?? NOBODY, found);
  });
  return found;
}

const NOBODY: NonNullable<Inspected['target']> = { keys: [] };

function collect(
  scope: Scope,
  entity: Entity,
  body: unknown,
  pointer: string,
  target: NonNullable<Inspected['target']>,
  found: Address[],
): void {
  if (!isObject(body) || !entitiesAsking(scope.model).has(entity.name)) return;
  for (const [key, value] of Object.entries(body)) {
    const field = entity.fields.get(key);
    if (!field) continue;
    const here = at(pointer, key);
    if (asksForMail(field)) {
      const parsed = typeof value === 'string' ? field.type.normalise(value, field, valueContext(scope)) : null;
      if (!parsed || 'error' in parsed || typeof parsed.value !== 'string') continue;
      found.push({ entity, field, pointer: here, address: parsed.value, whose: whoseOf(scope, entity, body, target) });
      continue;
    }
    const inner = scope.model.entities.get(field.children?.entity ?? field.reference?.entity ?? '');
    if (!inner || typeof value !== 'object' || value === null) continue;
    for (const [place, part] of partsOf(value, here)) {
      const id = isObject(part) ? part['id'] : undefined;
      collect(scope, inner, part, place, typeof id === 'string' ? { id } : NOBODY, found);
    }
  }
}

/** Records inside a record: a list, or lists and single ones under `create` and `update`. */
function partsOf(value: object, pointer: string): (readonly [string, unknown])[] {
  if (Array.isArray(value)) return value.map((part: unknown, index) => [at(pointer, index), part]);
  return Object.entries(value).flatMap(([verb, parts]: [string, unknown]) => {
    if (verb !== 'create' && verb !== 'update') return [];
    const here = at(pointer, verb);
    return Array.isArray(parts) ? partsOf(parts, here) : [[here, parts] as const];
  });
}

function whoseOf(
  scope: Scope,
  entity: Entity,
  body: Readonly<Record<string, unknown>>,
  target: NonNullable<Inspected['target']>,
): Address['whose'] {
  const keys = 'id' in target ? ['id'] : target.keys;
  const whose = keys.flatMap((key) => {
    const field = entity.fields.get(key);
    const sent = 'id' in target ? target.id : body[key];
    if (!field || (typeof sent !== 'string' && typeof sent !== 'number')) return [];
    if (key === 'id' && !isUuid(sent)) return [];
    const parsed = key === 'id' ? { value: sent } : field.type.normalise(sent, field, valueContext(scope));
    return 'error' in parsed || parsed.value === null ? [] : [[field, String(parsed.value)] as const];
  });
  return whose.length === keys.length ? whose : [];
}
