/**
 * What each person may see and do, told from the permission documents by a second, much simpler reading than the
 * engine's: plain loops over plain JSON. The tests hold the engine against it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, ROOT } from '../rules/source.ts';

export interface PermissionDocument {
  readonly role: string;
  readonly pack?: string;
  readonly entity: string;
  readonly key?: string;
  readonly actions: readonly string[];
  readonly fields?: Readonly<
    Record<string, { readonly only?: readonly string[]; readonly except?: readonly string[] }>
  >;
  readonly conditions?: { readonly owner?: 'self' | 'team' };
  readonly condition?: Rule;
  readonly transitions?: readonly string[];
}

/** A person as far as permissions care. */
export interface Person {
  readonly tenant: string;
  readonly userId: string;
  readonly roles: readonly string[];
  /** Users of the own team and of those under it. */
  readonly members: readonly string[];
  /** The own team and those under it; none when left out. */
  readonly teams?: readonly string[];
}

export interface Subject {
  readonly tenant: string;
  readonly owner: string | null;
  readonly id?: string;
  /** What conditions ask for beside the owner: `status`, `team`, `account.owner`; null and missing are the same. */
  readonly facts?: Facts;
}

export type Facts = Readonly<Record<string, unknown>>;

/** What has to be known of fields beside the permissions. */
export interface FieldKnowledge {
  /** Fields that this one is computed from, of its own entity and of others: it may be read by whoever may read these. */
  readonly inputs: (entity: string, field: string) => readonly { readonly entity: string; readonly field: string }[];
  /** The field that this one is a part of, which decides over it; its own key for others. */
  readonly whole: (entity: string, field: string) => string;
}

/** Fields that a permission's field lists never hide. */
const ALWAYS = new Set(['id', 'version']);

export function shippedPermissions(): readonly PermissionDocument[] {
  return ['metadata/packs/crm', 'metadata/platform'].flatMap((folder) =>
    filesBelow(folder, ['.permission.json']).map((file): PermissionDocument => {
      const document: PermissionDocument = JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
      const pack = folder === 'metadata/platform' ? 'core' : 'crm';
      return { ...document, entity: document.entity.includes('.') ? document.entity : `${pack}.${document.entity}` };
    }),
  );
}

export class Expectation {
  readonly #permissions: readonly PermissionDocument[];

  readonly #fields: FieldKnowledge;

  /** @param overrides documents of the tenants; one with the identity of a shipped one takes its place */
  constructor(overrides: readonly PermissionDocument[], fields: FieldKnowledge) {
    this.#fields = fields;
    const identity = (one: PermissionDocument) => `${one.role} ${one.entity} ${one.key ?? 'default'}`;
    this.#permissions = [
      ...new Map([...shippedPermissions(), ...overrides].map((one) => [identity(one), one])).values(),
    ];
  }

  /** Whether the person may do this with the record; for `read`, `create` and `update` with this field of it. */
  allows(person: Person, action: string, entity: string, subject: Subject, field?: string): boolean {
    if (person.tenant !== subject.tenant) return false;
    // An organisation administrator may do everything.
    if (person.roles.includes('administrator')) return true;
    const inputs = field === undefined || action !== 'read' ? [] : this.#fields.inputs(entity, field);
    const shown = inputs.every((input) =>
      input.entity === entity
        ? this.allows(person, action, entity, subject, input.field)
        : this.knows(person, action, input.entity, input.field),
    );
    if (!shown) return false;
    const whole = field === undefined ? undefined : this.#fields.whole(entity, field);
    return this.#of(person, action, entity).some(
      (permission) => holds(permission, person, subject) && (whole === undefined || covers(permission, action, whole)),
    );
  }

  /** Whether a single permission of the person's allows it with the record and covers all of these fields. */
  coversAll(person: Person, action: string, entity: string, subject: Subject, fields: readonly string[]): boolean {
    if (person.tenant !== subject.tenant) return false;
    if (person.roles.includes('administrator')) return true;
    return this.#of(person, action, entity).some(
      (permission) =>
        holds(permission, person, subject) &&
        fields.every((field) => covers(permission, action, this.#fields.whole(entity, field))),
    );
  }

  /** Whether the person may take the step with the record, as far as rights go. */
  takes(person: Person, entity: string, subject: Subject, transition: string): boolean {
    if (person.tenant !== subject.tenant) return false;
    if (person.roles.includes('administrator')) return true;
    return this.#of(person, 'update', entity).some(
      (permission) => (permission.transitions?.includes(transition) ?? true) && holds(permission, person, subject),
    );
  }

  /** Whether there could be a record on which the person may do this with the field. */
  knows(person: Person, action: string, entity: string, field: string): boolean {
    if (person.roles.includes('administrator')) return true;
    const whole = this.#fields.whole(entity, field);
    return (
      this.#of(person, action, entity).some((permission) => covers(permission, action, whole)) &&
      this.#fields.inputs(entity, field).every((input) => this.knows(person, action, input.entity, input.field))
    );
  }

  #of(person: Person, action: string, entity: string): readonly PermissionDocument[] {
    return this.#permissions.filter(
      (permission) =>
        [...person.roles, 'member'].includes(permission.role) &&
        permission.entity === entity &&
        permission.actions.includes(action),
    );
  }

  /** What conditions ask for of records of the entity, beside their owners: `status`, `account.owner`. */
  factsOf(entity: string): readonly string[] {
    const found = this.#permissions
      .filter((one) => one.entity === entity)
      .flatMap(({ condition }) => namedIn(condition));
    return [...new Set(found)].filter((fact) => fact !== 'owner' && fact !== 'id');
  }
}

/** One node of a condition, as the documents write it. */
interface Rule {
  readonly all?: readonly Rule[];
  readonly any?: readonly Rule[];
  readonly not?: Rule;
  readonly fact?: string;
  readonly path?: string;
  readonly operator?: string;
  readonly value?: unknown;
}

const factOf = ({ fact = '', path }: Rule): string => (path === undefined ? fact : `${fact}${path.slice(1)}`);

function namedIn(rule: Rule | undefined): readonly string[] {
  if (rule === undefined) return [];
  const inner = [...(rule.all ?? []), ...(rule.any ?? []), ...(rule.not ? [rule.not] : [])];
  return rule.fact === undefined ? inner.flatMap(namedIn) : [factOf(rule)];
}

function holds(permission: PermissionDocument, person: Person, subject: Subject): boolean {
  if (permission.condition !== undefined) return fulfils(permission.condition, person, subject);
  const rule = permission.conditions?.owner;
  if (rule === undefined) return true;
  if (subject.owner === null) return false;
  return rule === 'self' ? subject.owner === person.userId : person.members.includes(subject.owner);
}

function fulfils(rule: Rule, person: Person, subject: Subject): boolean {
  if (rule.all) return rule.all.every((one) => fulfils(one, person, subject));
  if (rule.any) return rule.any.some((one) => fulfils(one, person, subject));
  if (rule.not) return !fulfils(rule.not, person, subject);
  const found = { owner: subject.owner, id: subject.id, ...subject.facts }[factOf(rule)] ?? null;
  const wanted = valueOf(rule.value, person);
  switch (rule.operator ?? 'none') {
    case 'isNull':
      return (found === null) === wanted;
    case 'equal':
      return found !== null && found === wanted;
    case 'in':
      return found !== null && Array.isArray(wanted) && wanted.includes(found);
    default:
      throw new Error(`this reading of permissions knows no “${rule.operator}”`);
  }
}

function valueOf(value: unknown, person: Person): unknown {
  if (typeof value !== 'object' || value === null || !('path' in value)) return value;
  const known: Readonly<Record<string, unknown>> = {
    '$.id': person.userId,
    '$.teams': person.teams ?? [],
    '$.team_members': person.members,
  };
  if (typeof value.path !== 'string' || !(value.path in known))
    throw new Error(`this reading of permissions knows no user’s ${String(value.path)}`);
  return known[value.path];
}

function covers(permission: PermissionDocument, action: string, field: string): boolean {
  const list = permission.fields?.[action];
  if (list === undefined || ALWAYS.has(field)) return true;
  if (list.only) return list.only.includes(field);
  return !list.except?.includes(field);
}
