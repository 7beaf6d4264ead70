/**
 * Makes one of two equal databases differ from the other in everything a person may not see, and in nothing else: other
 * values, other owners, more and fewer records, another history; and another organisation beside theirs.
 *
 * It is done beneath the triggers: a change of a hidden field would otherwise raise the version, which is shown (see
 * `EXCEPTIONS` in `exceptions.ts`).
 */
import type pg from 'pg';
import { qualified, quote } from '#engine/db/identifiers.ts';
import type { Entity, Field, Model } from '#engine/model/model.ts';
import type { Context } from '#engine/schema/context.ts';
import { fillRollup, rollupState } from '#engine/schema/rollups.ts';
import { canaryValue, token } from './canary.ts';
import type { Expectation, Subject } from './expectation.ts';
import { subjectsOf } from './subjects.ts';
import type { WorldPerson } from './world.ts';

type Row = Readonly<Record<string, unknown>> & { readonly id: string };

export interface Difference {
  readonly changed: number;
  readonly added: number;
  readonly removed: number;
}

/**
 * Runs in a transaction of the caller, in which no trigger fires.
 * @param context of the tenant that is changed
 * @param person of that tenant; of another one everything is hidden
 */
export async function makeDifferent(
  superuser: pg.Client,
  context: Context,
  person: WorldPerson,
  expectation: Expectation,
): Promise<Difference> {
  const { model } = context;
  const tenant = context.tenant.key;
  const total = { changed: 0, added: 0, removed: 0 };
  const users = await rowsOf(superuser, tenant, 'core_users');
  for (const entity of model.entities.values()) {
    // Who is there, and in which teams, decides what the person sees.
    if (entity.pack === 'core' && person.tenant === tenant) continue;
    const one = new EntityDifference(superuser, model, entity, tenant, person, expectation);
    const made = await one.make(users.map(({ id }) => id));
    total.changed += made.changed;
    total.added += made.added;
    total.removed += made.removed;
  }
  // As triggers keep them: a rollup that does not fit the parts would be put right by the next change of a part.
  for (const entity of model.entities.values()) {
    for (const field of entity.fields.values()) {
      const rollup = isKept(field) ? rollupState(context, entity, field) : undefined;
      if (rollup) await superuser.query(fillRollup(rollup, 'true'));
    }
  }
  return total;
}

async function rowsOf(superuser: pg.Client, tenant: string, table: string): Promise<readonly Row[]> {
  const { rows } = await superuser.query<{ row: Row }>(
    `select to_jsonb(x) as row from ${qualified(`t_${tenant}`, table)} x order by id`,
  );
  return rows.map(({ row }) => row);
}

class EntityDifference {
  readonly #superuser: pg.Client;
  readonly #model: Model;
  readonly #entity: Entity;
  readonly #tenant: string;
  readonly #person: WorldPerson;
  readonly #expectation: Expectation;
  readonly #columns: readonly Field[];

  constructor(
    superuser: pg.Client,
    model: Model,
    entity: Entity,
    tenant: string,
    person: WorldPerson,
    expectation: Expectation,
  ) {
    this.#superuser = superuser;
    this.#model = model;
    this.#entity = entity;
    this.#tenant = tenant;
    this.#person = person;
    this.#expectation = expectation;
    this.#columns = [...entity.fields.values()].filter((field) => field.column !== null && !isGenerated(field));
  }

  async make(users: readonly string[]): Promise<Difference> {
    const total = { changed: 0, added: 0, removed: 0 };
    const rows = await subjectsOf(this.#superuser, this.#model, this.#entity, this.#tenant, this.#expectation);
    for (const [index, subject] of rows.entries()) {
      const row: Row = { ...subject.values, id: subject.id };
      const seen = this.#sees(subject);
      await this.#changeHistory(row, subject);
      if (!seen && index % 3 === 1) {
        await this.#add(row);
        total.added++;
      }
      if (!seen && index % 3 === 2 && (await this.#remove(row))) {
        total.removed++;
        continue;
      }
      const values = this.#others(row, subject, seen);
      if (!seen && this.#entity.owner) {
        const other = users.find((owner) => owner !== row['owner'] && !this.#sees({ ...subject, owner }));
        if (other !== undefined) values['owner'] = other;
      }
      if (Object.keys(values).length === 0) continue;
      const columns = Object.keys(values).map(quote).join();
      await this.#superuser.query(
        `update ${this.#table} x set (${columns}) = row(${Object.keys(values)
          .map((key) => `r.${quote(key)}`)
          .join()}) from jsonb_populate_record(null::${this.#table}, $2) r where x.id = $1`,
        [row.id, JSON.stringify(values)],
      );
      total.changed++;
    }
    return total;
  }

  get #table(): string {
    return qualified(`t_${this.#tenant}`, this.#entity.table);
  }

  #sees(subject: Subject): boolean {
    return this.#expectation.allows(this.#person, 'read', this.#outermost().name, subject);
  }

  /** Parts are seen with the record they are part of. */
  #outermost(): Entity {
    let at = this.#entity;
    while (at.parent) at = this.#model.entities.get(at.parent.entity) ?? at;
    return at;
  }

  /** Other values for what is hidden of the record. */
  #others(row: Row, subject: Subject, seen: boolean): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const field of this.#columns) {
      if (field.system && field.key !== 'deleted_at') continue;
      if (seen && (field.system || this.#reads(subject, field))) continue;
      // What is taken, and what may not be deleted, is told by what a write answers: the declared exceptions.
      if (field.type.key === 'reference' && seen) continue;
      const states = field.lifecycle === null ? null : this.#model.lifecycles.get(field.lifecycle)?.states;
      const value = states
        ? [...states.keys()].find((state) => state !== row[field.key])
        : otherValue(field, row[field.key]);
      if (value !== undefined && !this.#shows(subject, field, value, seen)) values[field.key] = value;
    }
    return values;
  }

  /** Whether the record could be seen, or no more, with another value of what a condition asks for. */
  #shows(subject: Subject, field: Field, value: unknown, seen: boolean): boolean {
    const facts = this.#expectation.factsOf(this.#entity.name).filter((fact) => fact.split('.')[0] === field.key);
    if (facts.length === 0) return false;
    // What a reference leads to is not known here; none leads nowhere.
    const after = facts.map((fact) => [fact, fact === field.key ? value : null] as const);
    return seen || this.#sees({ ...subject, facts: { ...subject.facts, ...Object.fromEntries(after) } });
  }

  #reads(subject: Subject, field: Field): boolean {
    if (!this.#entity.parent) return this.#allows(this.#entity, subject, field.key);
    const parent = this.#model.entities.get(this.#entity.parent.entity);
    const list = [...(parent?.fields.values() ?? [])].find((one) => one.children?.entity === this.#entity.name);
    return parent === undefined || list === undefined || this.#allows(parent, subject, list.key);
  }

  /** A part of a field is shown with it. */
  #allows(entity: Entity, subject: Subject, key: string): boolean {
    const whole = entity.fields.get(key)?.companionOf ?? key;
    return this.#expectation.allows(this.#person, 'read', entity.name, subject, whole);
  }

  async #add(row: Row): Promise<void> {
    const copy: Record<string, unknown> = { ...row, id: bumped(row.id) };
    for (const field of this.#columns) {
      if (!field.unique && !this.#entity.unique.some(({ fields }) => fields.includes(field.key))) continue;
      copy[field.key] = field.required ? otherValue(field, row[field.key]) : null;
    }
    const columns = this.#columns.map(({ key }) => quote(key)).join();
    await this.#superuser.query(
      `insert into ${this.#table} (${columns}) overriding system value select ${columns} from jsonb_populate_record(null::${this.#table}, $1)`,
      [JSON.stringify(copy)],
    );
  }

  /** @returns false when other records refer to it */
  async #remove(row: Row): Promise<boolean> {
    for (const other of this.#model.entities.values()) {
      for (const field of other.fields.values()) {
        if (field.column === null || field.reference?.entity !== this.#entity.name) continue;
        const { rowCount } = await this.#superuser.query(
          `select from ${qualified(`t_${this.#tenant}`, other.table)} where ${quote(field.key)} = $1 limit 1`,
          [row.id],
        );
        if (rowCount !== 0) return false;
      }
    }
    await this.#superuser.query(`delete from ${this.#table} where id = $1`, [row.id]);
    return true;
  }

  async #changeHistory(row: Row, subject: Subject): Promise<void> {
    if (!this.#entity.history) return;
    const hidden = this.#columns.filter((field) => !this.#sees(subject) || !this.#reads(subject, field));
    const history = qualified(`t_${this.#tenant}`, `h_${this.#entity.table}`);
    await this.#superuser.query(
      `update ${history} set old = '"another"', new = '"value"' where record_id = $1 and field_id = any($2)`,
      [row.id, hidden.map(({ id }) => id)],
    );
  }
}

/** A new id that sorts beside the given one. */
function bumped(id: string): string {
  const last = Number.parseInt(id.slice(-6), 16);
  return `${id.slice(0, -6)}${((last + 0x80_00_00) % 0x1_00_00_00).toString(16).padStart(6, '0')}`;
}

/** Rollups are computed anew when everything else differs. */
function isGenerated(field: Field): boolean {
  return field.formula !== null || field.type.computed === true || field.derived !== null || isKept(field);
}

const isKept = ({ rollup }: Field): boolean => rollup !== null;

/** A valid value that is not the present one; `undefined` where there is none to be had. */
function otherValue(field: Field, present: unknown): unknown {
  if (field.options['pattern'] !== undefined || field.type.sealed) return undefined;
  // Half an address is none, nor is half a place.
  if (field.companionOf !== null && field.type.key !== 'text') return undefined;
  const canary = field.type.key === 'reference' ? null : canaryValue(field, token());
  if (canary !== null) return canary;
  const choice = field.choices?.find(({ key }) => key !== present);
  if (choice) return field.type.valueType === 'texts' ? [choice.key] : choice.key;
  switch (field.type.key) {
    case 'boolean':
      return present !== true;
    case 'integer':
      return Number(field.options['min'] ?? 0) + ((Number(present ?? 0) + 1) % 50);
    case 'percent':
      return present === '12.00' ? '13' : '12';
    case 'date':
      return '2026-02-03';
    case 'datetime':
      return '2026-02-03T04:05:06Z';
    default:
      return field.required || field.system || present === null ? undefined : null;
  }
}
