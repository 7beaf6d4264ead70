/**
 * The Model: everything known about one tenant at one release, validated and frozen. Built by `build.ts` from
 * documents; read by everything else. Nothing here is looked up by scanning: what the hot path needs is a Map.
 */
import type { Condition } from '../condition/condition.ts';
import { operandsOf } from '../condition/operands.ts';
import type { Formula } from '../formula/formula.ts';
import type { DuplicateRule } from './duplicates.ts';
import { deadlineOf } from './deadline.ts';
import type { FieldType } from './field-type.ts';
import type { Fill } from './fill.ts';
import type { Flag, Rule, Sequence, Setting, Template, Metric } from './parts.ts';
import type { Derived, Many, Rollup } from './relations.ts';
import type { Value } from './value-type.ts';

export interface Model {
  readonly tenant: string;
  /** Release number, from 1; 0 is the empty model. */
  readonly release: number;
  /** ISO 3166-1 alpha-2 country of the organisation: telephone numbers without a country code are of it. */
  readonly country: string;
  /** By qualified name, `crm.opportunity`. Iteration order is the order of definition. */
  readonly entities: ReadonlyMap<string, Entity>;
  /** By the address of its records, `/api/crm/v1/opportunities`. */
  readonly entitiesByAddress: ReadonlyMap<string, Entity>;
  readonly roles: ReadonlyMap<string, Role>;
  readonly lifecycles: ReadonlyMap<string, Lifecycle>;
  /** By qualified name, `crm.open_opportunities`. */
  readonly views: ReadonlyMap<string, View>;
  /** By qualified entity name. */
  readonly forms: ReadonlyMap<string, Form>;
  readonly menus: readonly Menu[];
  /** locale → key → text; `texts.ts` makes the keys. */
  readonly translations: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** By qualified entity name; only active ones. */
  readonly rules: ReadonlyMap<string, readonly Rule[]>;
  /** By qualified name, as the three below. */
  readonly flags: ReadonlyMap<string, Flag>;
  readonly settings: ReadonlyMap<string, Setting>;
  readonly sequences: ReadonlyMap<string, Sequence>;
  readonly metrics: ReadonlyMap<string, Metric>;
  readonly templates: ReadonlyMap<string, Template>;
  readonly packs: ReadonlyMap<string, { readonly key: string; readonly version: string; readonly label: string }>;
}

export interface Entity {
  /** Immutable identity, survives renames: `e_` and 12 hexadecimal digits. */
  readonly id: string;
  /** Qualified name, `crm.opportunity`. */
  readonly name: string;
  readonly pack: string;
  readonly key: string;
  readonly plural: string;
  readonly label: string;
  readonly pluralLabel: string;
  readonly icon: string | null;
  /** Path of its screens, `crm/opportunities`. */
  readonly path: string;
  /** Table name inside the tenant's schema, `crm_opportunities`. */
  readonly table: string;
  /** Template of a record's title split at its fields: `{first_name} {last_name}` → fields `['first_name', 'last_name']`. */
  readonly title: { readonly template: string; readonly fields: readonly string[] };
  /** Has the system field `owner` (a user). */
  readonly owner: boolean;
  readonly softDelete: boolean;
  readonly history: boolean;
  /** Divided by the month of creation; `keep` months stay, `null` all of them. */
  readonly partition: { readonly keep: number | null } | null;
  /** `required`: clients change a record only when they say which version of it they have read (`If-Match`). */
  readonly concurrency: 'optional' | 'required';
  /** Single records may be shared with people and teams. Never for parts: they follow their whole. */
  readonly sharing: boolean;
  /** Days after which deleted records are purged; `null`: never. */
  readonly keepDays: number | null;
  readonly duplicates: readonly DuplicateRule[];
  /** A part of another entity (`of` names it): created and changed with its parent, rights follow the parent. */
  readonly parent: { readonly entity: string; readonly field: string } | null;
  /** All fields by key, system fields first (id, version, created_at, created_by, updated_at, updated_by, [owner], [deleted_at]). */
  readonly fields: ReadonlyMap<string, Field>;
  readonly fieldsById: ReadonlyMap<string, Field>;
  /** Flag that must be on for it to exist for somebody. */
  readonly flag: string | null;
  /** All of them: the document's combinations and every `unique` field. */
  readonly unique: readonly UniqueKey[];
  /** Those of administrators are among them (every action, field and record). Empty for parts: their rights follow the parent. */
  readonly permissions: readonly Permission[];
}

export interface UniqueKey {
  /** Immutable identity: `u_` and 12 hexadecimal digits, hashed from the field ids. */
  readonly id: string;
  /** Field keys. */
  readonly fields: readonly string[];
}

export interface Field {
  /** Immutable identity, survives renames: `f_` and 12 hexadecimal digits. */
  readonly id: string;
  readonly key: string;
  /** Column name; equal to the key. For lists of records and derived values there is none: `null`. */
  readonly column: string | null;
  readonly type: FieldType;
  readonly label: string;
  readonly help: string | null;
  readonly required: boolean;
  readonly unique: boolean;
  readonly index: boolean;
  /** Part of title search; weight A–D, `null` when not searched. */
  readonly search: 'A' | 'B' | 'C' | 'D' | null;
  readonly default: Value | undefined;
  /** Another record's value, for a new record that names none. */
  readonly fill: Fill | null;
  /** Kept by the engine (id, version, …), never written by clients (except `owner` at creation). */
  readonly system: boolean;
  /** Clients never write it: system, formula, sequence; state is given at creation at most, then moved by transitions. */
  readonly readOnly: boolean;
  /** reference, user, team: the entity it points at, qualified, and what a delete of that record does. */
  readonly reference: { readonly entity: string; readonly onDelete: 'restrict' | 'clear' | 'cascade' } | null;
  /** A list of other records: children, links, or (inverse) the records whose reference points here. */
  readonly many: Many | null;
  /** Computed when it is read, over other records; such a field has no column. */
  readonly derived: Derived | null;
  /** Kept in its column by triggers: a value over the parts of the record. */
  readonly rollup: Rollup | null;
  /** children: the child entity, qualified, and the child's field that points back. */
  readonly children: { readonly entity: string; readonly field: string } | null;
  readonly choices: readonly Choice[] | null;
  /** state: its lifecycle (key into `Model.lifecycles`) and the guards of its transitions, resolved against this entity. */
  readonly lifecycle: string | null;
  readonly guards: ReadonlyMap<string, Condition> | null;
  readonly formula: Formula | null;
  /** deadline: while the record fulfils it, the clock stands. */
  readonly pause: Condition | null;
  /** Type-specific options as the document has them (max, min, scale, prefix, …), schema-valid. */
  readonly options: Readonly<Record<string, unknown>>;
  /** money, and formulas that return it: key of the field with the currency, e.g. `amount_currency`. */
  readonly currencyField: string | null;
  /** Keys of the fields that its type brings along: an address's street, city, …; an amount's currency. */
  readonly companions: readonly string[];
  /** Key of the field that brought it along. */
  readonly companionOf: string | null;
  /** Flag that must be on for it to exist for somebody; the fields that it brings along go with it. */
  readonly flag: string | null;
}

/** Keys of the fields that a computed field tells of: who may not read one of them may not read it either. */
export function inputsOf(field: Field): readonly string[] {
  if (field.formula !== null) return field.formula.reads;
  const deadline = deadlineOf(field);
  if (deadline !== null) {
    const asked = field.pause === null ? [] : operandsOf(field.pause);
    const pausing = asked.flatMap((operand) => (operand.kind === 'field' ? [operand.field] : []));
    return [...new Set([deadline.from, deadline.via, deadline.by, ...pausing])];
  }
  const rollup = field.rollup ?? (field.derived?.kind === 'rollup' ? field.derived.rollup : null);
  if (rollup !== null) return rollup.list === null ? [] : [rollup.list];
  if (field.derived?.kind === 'lookup') return field.derived.steps.slice(0, 1).map((step) => step.field);
  if (field.derived?.kind === 'any') return field.companions;
  if (field.type.computed !== true) return [];
  return field.companionOf === null ? field.companions : [field.companionOf];
}

/** Whether it has a value of its own in the API: in a column, or derived. Lists of records have none. */
export function hasValue(field: Field): boolean {
  return field.column !== null || field.derived !== null;
}

export interface Choice {
  readonly key: string;
  readonly label: string;
  readonly color: string | null;
}

export interface Role {
  readonly key: string;
  readonly label: string;
  /** Roles whose permissions it has as well. */
  readonly inherits: readonly string[];
  /** May read and publish metadata and administer users: an organisation administrator. */
  readonly administrator: boolean;
}

export const ACTIONS = [
  'create',
  'read',
  'update',
  'delete',
  'import',
  'export',
  'assign',
  'share',
  'merge',
  'purge',
] as const;
export type Action = (typeof ACTIONS)[number];

export interface Permission {
  readonly id: string;
  readonly role: string;
  /** Qualified entity name. */
  readonly entity: string;
  readonly actions: ReadonlySet<Action>;
  /** `null` = every field. By field *id*, so that a field made anew under an old key inherits nothing. */
  readonly fields: {
    readonly read: ReadonlySet<string> | null;
    readonly create: ReadonlySet<string> | null;
    readonly update: ReadonlySet<string> | null;
  };
  /** Transitions it allows (keys); `null` = all that the lifecycle allows, for holders of `update`. */
  readonly transitions: ReadonlySet<string> | null;
  /** `null` = every record. */
  readonly condition: Condition | null;
}

export interface Lifecycle {
  readonly name: string;
  readonly key: string;
  readonly label: string;
  readonly initial: string;
  /** States a record may be created in. */
  readonly createIn: ReadonlySet<string>;
  readonly states: ReadonlyMap<string, State>;
  readonly transitions: ReadonlyMap<string, Transition>;
}

export interface State {
  readonly key: string;
  readonly label: string;
  readonly color: string | null;
  /** Reports and screens group by it. */
  readonly category: 'open' | 'won' | 'lost' | 'done' | null;
}

export interface Transition {
  readonly key: string;
  readonly label: string;
  readonly from: readonly string[];
  readonly to: string;
  /** Whether it has a guard; the resolved condition stands at the field that uses the lifecycle (`Field.guards`). It must hold on the record as it will be. */
  readonly guarded: boolean;
  readonly guardMessage: string | null;
  /** Fields (keys) that must have a value; they may be sent with the transition. */
  readonly requires: readonly string[];
  /** Field values it sets: key → literal or `{"now": true}` / `{"today": true}` / `{"user": true}`. */
  readonly sets: Readonly<Record<string, unknown>>;
  /** Flag that must be on for it to exist for somebody. */
  readonly flag: string | null;
}

export interface View {
  readonly name: string;
  readonly key: string;
  readonly label: string;
  readonly entity: string;
  readonly columns: readonly { readonly field: string; readonly width: number | null }[];
  readonly order: readonly { readonly field: string; readonly descending: boolean }[];
  readonly filter: Condition | null;
  readonly roles: readonly string[] | null;
  readonly flag: string | null;
}

export interface Form {
  readonly entity: string;
  readonly sections: readonly {
    readonly key: string;
    readonly label: string;
    readonly fields: readonly string[];
    readonly columns: 1 | 2;
    readonly flag: string | null;
  }[];
}

export interface Menu {
  readonly key: string;
  readonly label: string;
  readonly icon: string | null;
  readonly order: number;
  readonly roles: readonly string[] | null;
  readonly flag: string | null;
  readonly items: readonly {
    readonly key: string;
    readonly label: string;
    readonly entity: string;
    readonly view: string | null;
    readonly icon: string | null;
    readonly flag: string | null;
  }[];
}
