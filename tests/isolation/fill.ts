/** One record of every entity for each person, with canaries wherever a value has room for one. */
import type { Entity, Field, Model } from '#engine/model/model.ts';
import type { Client } from '../support/http.ts';
import { canaryValue, token, trace } from './canary.ts';
import type { Expectation } from './expectation.ts';
import type { WorldPerson, WorldRecord } from './world.ts';

/** Entities with records of their own, what they refer to before those that refer to it. */
export function recordEntities(model: Model): readonly Entity[] {
  const own = [...model.entities.values()].filter(({ pack, parent }) => pack !== 'core' && parent === null);
  const ordered = new Set<Entity>();
  const visit = (entity: Entity, onTheWay: readonly Entity[]) => {
    if (onTheWay.includes(entity) || ordered.has(entity)) return;
    for (const { reference } of entity.fields.values()) {
      const target = own.find(({ name }) => name === reference?.entity);
      if (target) visit(target, [...onTheWay, entity]);
    }
    ordered.add(entity);
  };
  for (const entity of own) visit(entity, []);
  return [...ordered];
}

/** What a new record has: its body, and what of it is a canary. */
interface Draft {
  readonly body: Record<string, unknown>;
  readonly canaries: Map<string, string>;
  readonly inside: { readonly field: string; readonly trace: string }[];
}

interface Filling {
  readonly model: Model;
  readonly people: readonly WorldPerson[];
  readonly records: readonly WorldRecord[];
  readonly owner: WorldPerson;
  /** Of the owner among the people: what has several sorts takes them in turn. */
  readonly index: number;
}

export async function fill(
  tenant: string,
  model: Model,
  admin: Client,
  people: readonly WorldPerson[],
  expectation: Expectation,
): Promise<readonly WorldRecord[]> {
  const records: WorldRecord[] = [];
  for (const entity of recordEntities(model)) {
    for (const [index, owner] of people.entries()) {
      const draft: Draft = { body: entity.owner ? { owner: owner.userId } : {}, canaries: new Map(), inside: [] };
      for (const field of entity.fields.values())
        setField(field, entity, draft, { model, people, records, owner, index });
      await addFiles(entity, admin, draft);
      const { body, canaries, inside } = draft;
      const { json, text, status } = await admin.post(`/api/${entity.pack}/v1/${entity.plural}`, body);
      if (status !== 201 || !json.data) throw new Error(`${entity.name}: ${text}`);
      const facts = factsOf(entity, body, records, expectation);
      const subject = { tenant, owner: entity.owner ? owner.userId : null, id: json.data.id, facts };
      records.push({ ...subject, entity: entity.name, canaries, inside, references: referencesIn(entity, body) });
    }
  }
  return records;
}

function referencesIn(entity: Entity, body: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const found = [...entity.fields.values()].flatMap(({ key, type }) => {
    const id = type.key === 'reference' ? body[key] : undefined;
    return typeof id === 'string' ? [[key, id] as const] : [];
  });
  return new Map(found);
}

/** What the conditions of permissions ask for, as a record with this body has it. */
export function factsOf(
  entity: Entity,
  body: Readonly<Record<string, unknown>>,
  records: readonly WorldRecord[],
  expectation: Expectation,
): Record<string, unknown> {
  const facts: Record<string, unknown> = {};
  for (const fact of expectation.factsOf(entity.name)) {
    const [key = fact, further] = fact.split('.');
    if (further !== undefined && further !== 'owner') throw new Error(`nobody knows ${fact} of ${entity.name}`);
    facts[fact] = further === undefined ? body[key] : records.find(({ id }) => id === body[key])?.owner;
  }
  return facts;
}

const PICTURE = '89504e470d0a1a0a0000000d494844520000000100000001';

/** Files come in before the records that name them; their names and what is in them are canaries. */
async function addFiles(entity: Entity, admin: Client, { body, canaries }: Draft): Promise<void> {
  for (const { key, type } of entity.fields.values()) {
    if (type.key !== 'file' && type.key !== 'image') continue;
    const mark = token();
    const content = type.key === 'image' ? Buffer.concat([Buffer.from(PICTURE, 'hex'), Buffer.from(mark)]) : mark;
    const sent = typeof content === 'string' ? content : new Uint8Array(content);
    const { json, text } = await admin.send(
      'POST',
      `/api/${entity.pack}/v1/${entity.plural}/$files?name=${mark}`,
      sent,
    );
    if (!json.data) throw new Error(text);
    body[key] = json.data.id;
    canaries.set(key, mark);
  }
}

function setField(field: Field, entity: Entity, draft: Draft, filling: Filling): void {
  const { body, canaries, inside } = draft;
  const { model, index } = filling;
  if (field.system || (field.readOnly && field.lifecycle === null)) return;
  const part = field.children === null ? undefined : model.entities.get(field.children.entity);
  if (part) {
    const made: Draft = { body: {}, canaries: new Map(), inside: [] };
    for (const one of part.fields.values()) if (one.key !== field.children?.field) setField(one, part, made, filling);
    body[field.key] = [made.body];
    for (const found of made.canaries.values()) inside.push({ field: field.key, trace: found });
    return;
  }
  if (field.lifecycle !== null) {
    const states = [...(model.lifecycles.get(field.lifecycle)?.createIn ?? [])];
    body[field.key] = states[index % states.length];
    return;
  }
  const given = valueOf(field, entity, filling);
  if (given !== undefined) {
    if (given !== null) body[field.key] = given;
    return;
  }
  const value = canaryValue(field, token());
  if (value === null) return;
  body[field.key] = value;
  canaries.set(field.key, trace(value));
  // The words of a rich text stand in a field of their own.
  const words = field.companions.find((key) => entity.fields.get(key)?.type.key === 'plain_text');
  if (words !== undefined) canaries.set(words, trace(value));
}

/** What no canary fits into: null leaves it out, `undefined` says that a canary fits. */
function valueOf(field: Field, entity: Entity, { people, records, owner, index }: Filling): unknown {
  if (field.type.key === 'team')
    return index % 4 === 0 ? null : (people[(index + 1) % people.length]?.teams[0] ?? null);
  if (field.reference !== null) {
    // Those behind a reference to one of several entities follow it.
    if (field.companionOf !== null) return null;
    // A member is either a contact or a lead.
    if (entity.key === 'campaign_member' && field.key === (index % 2 === 0 ? 'lead' : 'contact')) return null;
    return ownOf(field.reference.entity, records, owner)?.id ?? null;
  }
  if (field.many?.via === 'links') {
    const to = records.filter((record) => record.entity === field.many?.entity && record.tenant === owner.tenant);
    const others = to[(index + 1) % Math.max(to.length, 1)];
    return field.many.near === 'near' ? [ownOf(field.many.entity, records, owner)?.id, others?.id] : null;
  }
  if (field.derived?.kind === 'any') {
    const [target] = field.derived.targets;
    const to = target && ownOf(target.entity, records, owner);
    return to ? { entity: to.entity, id: to.id } : null;
  }
  if (field.options['pattern'] !== undefined) return 'EUR';
  switch (field.type.key) {
    case 'choice':
      return field.required ? field.choices?.[index % field.choices.length]?.key : null;
    case 'date':
    case 'datetime':
      return field.required ? '2026-02-03' : null;
    case 'currency':
      return null;
    case 'country':
      return field.companionOf === null ? null : 'DE';
    default:
      return undefined;
  }
}

/** The owner's record of that entity, or the one that was made for them. */
function ownOf(entity: string, records: readonly WorldRecord[], owner: WorldPerson): WorldRecord | undefined {
  const all = records.filter((record) => record.tenant === owner.tenant && record.entity === entity);
  return all.find((record) => record.owner === owner.userId) ?? all.find((record) => record.owner === null);
}
