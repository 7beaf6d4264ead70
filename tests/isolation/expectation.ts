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
  readonly condition?: unknown;
  readonly transitions?: readonly string[];
}

/** A person as far as permissions care. */
export interface Person {
  readonly tenant: string;
  readonly userId: string;
  readonly roles: readonly string[];
  /** Users of the own team and of those under it. */
  readonly members: readonly string[];
}

export interface Subject {
  readonly tenant: string;
  readonly owner: string | null;
  readonly id?: string;
}

/** The one condition among the shipped permissions: the record is the person. */
const ONESELF = JSON.stringify({ fact: 'id', operator: 'equal', value: { fact: 'user', path: '$.id' } });

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

  readonly #inputs: (entity: string, field: string) => readonly string[];

  /**
   * @param overrides documents of the tenants; one with the identity of a shipped one takes its place
   * @param inputs fields a formula reads; it may be read by whoever may read these
   */
  constructor(overrides: readonly PermissionDocument[], inputs: (entity: string, field: string) => readonly string[]) {
    this.#inputs = inputs;
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
    const inputs = field === undefined || action !== 'read' ? [] : this.#inputs(entity, field);
    if (!inputs.every((input) => this.allows(person, action, entity, subject, input))) return false;
    return this.#permissions.some(
      (permission) =>
        [...person.roles, 'member'].includes(permission.role) &&
        permission.entity === entity &&
        permission.actions.includes(action) &&
        holds(permission, person, subject) &&
        (field === undefined || covers(permission, action, field)),
    );
  }

  /** Whether the person may take the step with the record, as far as rights go. */
  takes(person: Person, entity: string, subject: Subject, transition: string): boolean {
    if (person.tenant !== subject.tenant) return false;
    if (person.roles.includes('administrator')) return true;
    return this.#permissions.some(
      (permission) =>
        [...person.roles, 'member'].includes(permission.role) &&
        permission.entity === entity &&
        permission.actions.includes('update') &&
        (permission.transitions?.includes(transition) ?? true) &&
        holds(permission, person, subject),
    );
  }

  /** Whether there is any record on which the person may do this with the field. */
  knows(person: Person, action: string, entity: string, field: string): boolean {
    const own: Subject = { tenant: person.tenant, owner: person.userId };
    return this.allows(person, action, entity, own, field);
  }
}

function holds(permission: PermissionDocument, person: Person, subject: Subject): boolean {
  if (permission.condition !== undefined)
    return JSON.stringify(permission.condition) === ONESELF && subject.id === person.userId;
  const rule = permission.conditions?.owner;
  if (rule === undefined) return true;
  if (subject.owner === null) return false;
  return rule === 'self' ? subject.owner === person.userId : person.members.includes(subject.owner);
}

function covers(permission: PermissionDocument, action: string, field: string): boolean {
  const list = permission.fields?.[action];
  if (list === undefined || ALWAYS.has(field)) return true;
  if (list.only) return list.only.includes(field);
  return !list.except?.includes(field);
}
