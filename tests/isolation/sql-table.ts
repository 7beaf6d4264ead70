/** What decides over the statements of `sql-cases.ts`: the records of a table, and what the second reading says of them. */
import type pg from 'pg';
import { qualified } from '#engine/db/identifiers.ts';
import type { Entity, Field, Model } from '#engine/model/model.ts';
import type { Expectation, Facts, Subject } from './expectation.ts';
import { BROKEN_RULE, NOT_ONES_FILE } from './sql-run.ts';
import { SqlValues } from './sql-values.ts';
import { type Row, subjectsOf } from './subjects.ts';
import type { WorldPerson } from './world.ts';

/** A row of a history. */
interface Told {
  readonly record: string;
  /** Id of the field. */
  readonly field: string;
  readonly value: string | null;
}

/** One entity's table, and what people may do with its records. */
export class EntityTable {
  readonly model: Model;
  readonly entity: Entity;
  readonly expectation: Expectation;
  readonly rows: readonly Row[];
  readonly history: readonly Told[];
  /** All of the organisation's, by the entity's name. */
  readonly others: ReadonlyMap<string, EntityTable>;
  readonly table: string;
  readonly columns: readonly Field[];
  readonly values: SqlValues;

  /** The tables of all entities, by name. */
  static async openAll(
    superuser: pg.Client,
    model: Model,
    tenant: string,
    expectation: Expectation,
  ): Promise<ReadonlyMap<string, EntityTable>> {
    const opened = new Map<string, EntityTable>();
    for (const entity of model.entities.values()) {
      const rows = await subjectsOf(superuser, model, entity, tenant, expectation);
      const history = entity.history
        ? await superuser.query<Told>(
            `select record_id as record, field_id as field, coalesce(new, old) #>> '{}' as value
             from ${qualified(`t_${tenant}`, `h_${entity.table}`)} order by 1, 2`,
          )
        : { rows: [] };
      opened.set(entity.name, new EntityTable(model, entity, expectation, tenant, rows, history.rows, opened));
    }
    return opened;
  }

  private constructor(
    model: Model,
    entity: Entity,
    expectation: Expectation,
    tenant: string,
    rows: readonly Row[],
    history: readonly Told[],
    others: ReadonlyMap<string, EntityTable>,
  ) {
    this.others = others;
    this.model = model;
    this.entity = entity;
    this.expectation = expectation;
    this.rows = rows;
    this.history = history;
    this.table = qualified(`t_${tenant}`, entity.table);
    this.columns = [...entity.fields.values()].filter((field) => field.column !== null);
    this.values = new SqlValues(model, entity, expectation, rows, this.table);
  }

  /** Whether any change of the field by itself breaks a rule: who is a member of a campaign is a contact or a lead. */
  isRuled({ key }: Field): boolean {
    return this.entity.key === 'campaign_member' && (key === 'contact' || key === 'lead');
  }

  /** What it comes to when the field is given the value of {@link SqlValues.valueFor}, as far as rights allow it. */
  comesTo(field: Field, done: string): string {
    if (field.type.attached !== undefined) return NOT_ONES_FILE;
    return this.isRuled(field) ? BROKEN_RULE : done;
  }

  /** Whether a condition of a permission asks for the field. */
  decides(field: Field): boolean {
    return this.expectation.factsOf(this.entity.name).some((fact) => fact.split('.')[0] === field.key);
  }

  /** Whether the record may be read and changed as well when the field has the value of {@link SqlValues.valueFor}. */
  stays(person: WorldPerson, row: Row, field: Field): boolean {
    if (!this.decides(field)) return true;
    const after = { ...row, facts: { ...row.facts, ...this.values.factsWith(field, row) } };
    return ['read', 'update'].every((action) => this.may(person, action, after));
  }

  /** Of a record with nothing but what it needs, whose references are those of `like`. */
  factsOfNew(like: Row | undefined): Facts {
    const facts = this.expectation.factsOf(this.entity.name).map((fact) => {
      const field = this.entity.fields.get(fact.split('.')[0] ?? fact);
      const lifecycle = field?.lifecycle ?? null;
      const initial = lifecycle === null ? null : (this.model.lifecycles.get(lifecycle)?.initial ?? null);
      return [fact, field?.required ? (like?.facts[fact] ?? null) : initial] as const;
    });
    return Object.fromEntries(facts);
  }

  /** Parts have the rights of what they are part of: to see them is to read it, to change them is to change its list. */
  may(person: WorldPerson, action: string, subject: Subject & { readonly id?: string }, field?: Field): boolean {
    const { parent, name } = this.entity;
    const whole = parent === null ? undefined : this.model.entities.get(parent.entity);
    if (whole) {
      const list = [...whole.fields.values()].find(({ children }) => children?.entity === name);
      const does = action === 'read' ? 'read' : 'update';
      return this.expectation.allows(person, does, whole.name, subject, list?.key);
    }
    if (field === undefined) return this.expectation.allows(person, action, name, subject);
    // A part of a field is shown and changed with it.
    return this.expectation.allows(person, action, name, subject, field.companionOf ?? field.key);
  }

  /** Whether there is such a record, and the person may read it. */
  shows(person: WorldPerson, id: string | null): boolean {
    const row = this.rows.find((one) => one.id === id);
    return row !== undefined && this.may(person, 'read', row);
  }

  knows(person: WorldPerson, field: Field): boolean {
    const { parent, name } = this.entity;
    const whole = parent === null ? undefined : this.model.entities.get(parent.entity);
    const list = [...(whole?.fields.values() ?? [])].find(({ children }) => children?.entity === name);
    if (whole && list) return this.expectation.knows(person, 'read', whole.name, list.key);
    return this.expectation.knows(person, 'read', name, field.key);
  }

  /** Columns that policies and guards look at with everybody's own rights (see `engine/schema/policy-columns.ts`). */
  looked(): ReadonlySet<string> {
    const guards = [...this.entity.fields.values()].map(({ guards: all }) => JSON.stringify([...(all ?? [])]));
    const named = [...guards.join().matchAll(/"field":"(\w+)"/g)].map(([, key]) => key ?? '');
    const team = this.entity.name === 'core.user' ? ['team'] : [];
    const asked = this.expectation.factsOf(this.entity.name).map((fact) => fact.split('.')[0] ?? fact);
    const parent = this.entity.parent?.field ?? 'id';
    return new Set(['id', 'version', 'owner', 'deleted_at', parent, ...named, ...team, ...asked]);
  }

  /** Of the records one of each sort: who owns it, and what the person may do with it. */
  ofEachSort(person: WorldPerson): readonly Row[] {
    const sorts = Map.groupBy(this.rows, (row) =>
      [
        row.owner === person.userId,
        person.members.includes(row.owner ?? ''),
        row.id === person.userId,
        this.may(person, 'read', row),
        this.may(person, 'update', row),
      ].join(),
    );
    return [...sorts.values()].flatMap(([first]) => first ?? []);
  }
}
