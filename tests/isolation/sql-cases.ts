/**
 * What a person may do in Postgres itself, with the database role of their requests and nothing before it: the second
 * layer alone, statement by statement, held against the expectation. Each case undoes what it did.
 */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { literal, qualified, quote } from '#engine/db/identifiers.ts';
import type { Entity, Field, Model } from '#engine/model/model.ts';
import { canaryValue, token } from './canary.ts';
import type { Expectation, Subject } from './expectation.ts';
import type { Actor, Part, SqlCase } from './sql-run.ts';
import type { WorldPerson } from './world.ts';

interface Row extends Subject {
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
}

type Add = (
  part: Part,
  columns: string | readonly string[] | null,
  title: string,
  sql: string,
  expected: string,
) => unknown;

const ALWAYS_KEPT = ['version', 'created_at', 'created_by', 'updated_at', 'updated_by'];

/** The cases of one entity's table. */
export class EntityCases {
  readonly #model: Model;
  readonly #entity: Entity;
  readonly #expectation: Expectation;
  readonly #rows: readonly Row[];
  readonly #history: readonly { readonly record: string; readonly field: string }[];
  readonly #table: string;
  readonly #columns: readonly Field[];

  static async open(
    superuser: pg.Client,
    model: Model,
    entity: Entity,
    tenant: string,
    expectation: Expectation,
  ): Promise<EntityCases> {
    const parent = entity.parent === null ? undefined : model.entities.get(entity.parent.entity);
    const owner = parent?.owner
      ? `(select p.owner from ${qualified(`t_${tenant}`, parent.table)} p where p.id = x.${quote(entity.parent?.field ?? '')})`
      : entity.owner
        ? 'x.owner'
        : 'null';
    const { rows } = await superuser.query<{ id: string; owner: string | null; values: Record<string, unknown> }>(
      `select id, ${owner} as owner, to_jsonb(x) as values from ${qualified(`t_${tenant}`, entity.table)} x order by id`,
    );
    const history = entity.history
      ? await superuser.query<{ record: string; field: string }>(
          `select record_id as record, field_id as field from ${qualified(`t_${tenant}`, `h_${entity.table}`)} order by 1, 2`,
        )
      : { rows: [] };
    return new EntityCases(
      model,
      entity,
      expectation,
      tenant,
      rows.map((row) => ({ ...row, tenant })),
      history.rows,
    );
  }

  private constructor(
    model: Model,
    entity: Entity,
    expectation: Expectation,
    tenant: string,
    rows: readonly Row[],
    history: readonly { readonly record: string; readonly field: string }[],
  ) {
    this.#model = model;
    this.#entity = entity;
    this.#expectation = expectation;
    this.#rows = rows;
    this.#history = history;
    this.#table = qualified(`t_${tenant}`, entity.table);
    this.#columns = [...entity.fields.values()].filter((field) => field.column !== null);
  }

  of(person: Actor): readonly SqlCase[] {
    const cases: SqlCase[] = [];
    const add: Add = (part, about, title, sql, expected) =>
      cases.push({
        part,
        columns: [about ?? []].flat(),
        title: `${person.person.name}: ${title}`,
        sql,
        expected,
        person,
      });
    this.#reads(person, add);
    const rows = this.#ofEachSort(person.person);
    for (const row of rows) this.#updates(person.person, row, add);
    this.#changesAll(person.person, add);
    this.#inserts(person.person, rows, add);
    return cases;
  }

  #reads({ person }: Actor, add: Add): void {
    const seen = this.#rows.filter((row) => this.#may(person, 'read', row));
    const ids = seen.map(({ id }) => id).join('\n');
    add('rows', null, 'which records', `select id from ${this.#table} order by id`, ids === '' ? 'nothing' : ids);
    const looked = this.#looked();
    for (const field of this.#columns) {
      const known = this.#rows.some((row) => this.#may(person, 'read', row, field));
      // What is there for policies to look at says nothing where no record is shown.
      if (looked.has(field.key) && !known) continue;
      const sql = `select 'shown' from (select ${quote(field.key)} from ${this.#table} limit 1) x`;
      add('read', field.key, `read ${field.key}`, sql, known ? 'shown' : 'nothing');
    }
    if (!this.#entity.history) return;
    const told = this.#history.flatMap(({ record, field }) => {
      const row = this.#rows.find(({ id }) => id === record);
      const of = this.#entity.fieldsById.get(field);
      return row && of && this.#may(person, 'read', row, of) ? [`${record} ${field}`] : [];
    });
    const history = this.#table.replace(quote(this.#entity.table), quote(`h_${this.#entity.table}`));
    const sql = `select record_id, field_id from ${history} order by 1, 2`;
    add('history', null, 'which changes', sql, told.length === 0 ? 'nothing' : told.join('\n'));
  }

  #updates(person: WorldPerson, row: Row, add: Add): void {
    const where = `where id = ${literal(row.id)} returning 'done'`;
    const outcome = (may: boolean) => (may ? 'done' : 'nothing');
    let trail: { readonly set: string; readonly field: Field } | null = null;
    for (const field of this.#columns) {
      const value = this.#valueFor(field, row);
      if (value === null) continue;
      const set = `${quote(field.key)} = ${value}`;
      const kept = field.system || field.readOnly || field.formula !== null || field.type.computed === true;
      const may = !kept && this.#may(person, 'update', row, field);
      add('update', field.key, `change ${field.key}`, `update ${this.#table} set ${set} ${where}`, outcome(may));
      if (may && !field.reference) trail ??= { set, field };
    }
    if (this.#entity.parent !== null && this.#may(person, 'update', row)) {
      const key = this.#entity.parent.field;
      const foreign = this.#rows.find((one) => !this.#may(person, 'update', one))?.values[key];
      const set = `${quote(key)} = ${literalOrNull(foreign)}`;
      if (foreign) add('update', key, 'move to another whole', `update ${this.#table} set ${set}`, 'nothing');
    }
    if (this.#entity.softDelete)
      add(
        'delete',
        'deleted_at',
        'delete',
        `update ${this.#table} set deleted_at = now() ${where}`,
        outcome(this.#may(person, 'delete', row)),
      );
    const forGood = !this.#entity.softDelete && this.#may(person, 'delete', row);
    add('delete', null, 'delete for good', `delete from ${this.#table} ${where}`, outcome(forGood));
    if (trail) this.#trail(person, row, trail.set, trail.field, add);
    for (const field of this.#columns) this.#steps(person, row, field, add);
  }

  /** A step that no lifecycle has is refused, whoever takes it; others are for whoever may take them. */
  #steps(person: WorldPerson, row: Row, field: Field, add: Add): void {
    const lifecycle = field.lifecycle === null ? undefined : this.#model.lifecycles.get(field.lifecycle);
    if (!lifecycle) return;
    const from = row.values[field.key];
    const possible = [...lifecycle.transitions.values()].filter((one) => one.from.some((state) => state === from));
    const where = `where id = ${literal(row.id)} returning 'done'`;
    for (const { key, to, sets } of possible) {
      const takes = this.#expectation.takes(person, this.#entity.name, row, key);
      // Which steps of a record that may be changed are a person's is the compiler's to say.
      if (!takes && this.#may(person, 'update', row)) continue;
      const given = Object.entries(sets).map(([column, value]) => `${quote(column)} = ${setTo(value)}`);
      const sql = `update ${this.#table} set ${[`${quote(field.key)} = ${literal(to)}`, ...given].join()} ${where}`;
      add('update', [field.key, ...Object.keys(sets)], `take ${key}`, sql, takes ? 'done' : 'nothing');
    }
    const state = [...lifecycle.states.keys()].find((one) => one !== from && !possible.some(({ to }) => to === one));
    if (state === undefined) return;
    const sql = `update ${this.#table} set ${quote(field.key)} = ${literal(state)} ${where}`;
    add('update', field.key, `move to ${state}`, sql, 'nothing');
  }

  /** Without a WHERE only the rule for changing counts: Postgres asks the one for reading only of what a statement reads. */
  #changesAll(person: WorldPerson, add: Add): void {
    const reached = this.#rows.filter(
      (row) => this.#may(person, 'update', row) || (this.#entity.softDelete && this.#may(person, 'delete', row)),
    );
    const field = this.#columns.find(
      (one) =>
        !one.system &&
        !one.readOnly &&
        !one.unique &&
        one.choices === null &&
        this.#valueFor(one, reached[0]) !== null &&
        reached.every((row) => this.#may(person, 'update', row, one)),
    );
    if (field && reached.length > 0) {
      const sql = `update ${this.#table} set ${quote(field.key)} = ${this.#valueFor(field, reached[0])}`;
      add('update', field.key, 'change all', sql, `UPDATE ${reached.length}`);
    }
    if (this.#entity.softDelete || this.#entity.pack === 'core') return;
    const gone = this.#rows.filter((row) => this.#may(person, 'delete', row)).length;
    add('delete', null, 'delete all', `delete from ${this.#table}`, gone === 0 ? 'nothing' : `DELETE ${gone}`);
  }

  /** What triggers keep: the version, who and when, the history, the outbox. */
  #trail(person: WorldPerson, row: Row, set: string, field: Field, add: Add): void {
    const { table, history, softDelete } = this.#entity;
    const kept = history
      ? `(select count(*) from ${this.#table.replace(quote(table), quote(`h_${table}`))} where record_id = x.id and field_id = ${literal(field.id)} and version = x.version and actor = x.updated_by)`
      : '1';
    const told = `(select count(*) from armature.outbox o where o.record_id = x.id and o.version = x.version and o.operation = 'update')`;
    const before = row.values;
    add(
      'trail',
      null,
      'what a change leaves behind',
      `update ${this.#table} set ${set} where id = ${literal(row.id)}; reset role;
       select x.version, x.updated_by, x.created_by is not distinct from ${literalOrNull(before['created_by'])}, x.updated_at > ${literalOrNull(before['updated_at'])},
        x.created_at = ${literalOrNull(before['created_at'])}, ${kept}, ${told} from ${this.#table} x where id = ${literal(row.id)}`,
      [Number(before['version']) + 1, person.userId, true, true, true, 1, 1].join(' '),
    );
    add(
      'trail',
      null,
      'who made it, and when, stays',
      `reset role; update ${this.#table} set created_at = now() - interval '1 day', created_by = gen_random_uuid() where id = ${literal(row.id)};
       select created_at = ${literalOrNull(before['created_at'])}, created_by is not distinct from ${literalOrNull(before['created_by'])} from ${this.#table} where id = ${literal(row.id)}`,
      'true true',
    );
    if (!softDelete || !this.#may(person, 'delete', row)) return;
    add(
      'trail',
      null,
      'what a deletion leaves behind',
      `update ${this.#table} set deleted_at = now() where id = ${literal(row.id)}; reset role;
       select operation from armature.outbox where record_id = ${literal(row.id)} and version = ${Number(before['version']) + 1}`,
      'delete',
    );
  }

  #inserts(person: WorldPerson, rows: readonly Row[], add: Add): void {
    const base = this.#requiredColumns(rows[0]);
    if (base === null) return;
    const id = literal(randomUUID());
    const insert = (more: Readonly<Record<string, string>>) => {
      const values = { id, ...base, ...more };
      return `insert into ${this.#table} (${Object.keys(values).map(quote).join()}) values (${Object.values(values).join()})`;
    };
    const own: Subject = { tenant: person.tenant, owner: person.userId };
    const inTenant = this.#rows.some(({ tenant }) => tenant === person.tenant);
    const first = rows.find((row) => this.#may(person, 'create', row));
    if (this.#entity.parent !== null && first)
      base[this.#entity.parent.field] = literalOrNull(first.values[this.#entity.parent.field]);
    const mine = inTenant && (this.#entity.parent === null ? this.#may(person, 'create', own) : first !== undefined);
    if (this.#entity.parent === null) {
      for (const row of this.#entity.owner ? rows : []) {
        const may = this.#may(person, 'create', row);
        const sql = `${insert({ owner: literalOrNull(row.owner) })}; select 'made'`;
        add('insert', 'owner', 'make one for this owner', sql, may ? 'made' : 'nothing');
      }
      add('insert', null, 'make one', `${insert({})}; select 'made'`, mine ? 'made' : 'nothing');
    } else {
      for (const row of rows) {
        const parent = literalOrNull(row.values[this.#entity.parent.field]);
        const may = this.#may(person, 'create', row);
        const sql = `${insert({ [this.#entity.parent.field]: parent })}; select 'made'`;
        add('insert', null, 'make a part', sql, may ? 'made' : 'nothing');
      }
    }
    for (const key of ALWAYS_KEPT) {
      const value = key === 'version' ? '7' : key.endsWith('_at') ? 'now()' : literal(person.userId);
      add('insert', key, `give ${key}`, `${insert({ [key]: value })}; select 'made'`, 'nothing');
    }
    if (!mine) return;
    for (const field of this.#columns) {
      if (field.system || field.readOnly || field.key in base) continue;
      const value = this.#valueFor(field, rows[0]);
      if (value === null) continue;
      const may = this.#may(person, 'create', this.#entity.parent === null ? own : (first ?? own), field);
      add(
        'insert',
        field.key,
        `give ${field.key}`,
        `${insert({ [field.key]: value })}; select 'made'`,
        may ? 'made' : 'nothing',
      );
    }
    for (const field of this.#columns) {
      const lifecycle = field.lifecycle === null ? undefined : this.#model.lifecycles.get(field.lifecycle);
      const state = lifecycle && [...lifecycle.states.keys()].find((one) => !lifecycle.createIn.has(one));
      if (lifecycle) {
        const begin = `${insert({ [field.key]: literal(lifecycle.initial) })}; select 'made'`;
        add(
          'insert',
          field.key,
          `give ${field.key}`,
          begin,
          this.#may(person, 'create', own, field) ? 'made' : 'nothing',
        );
      }
      if (lifecycle && state !== undefined)
        add(
          'insert',
          field.key,
          `begin as ${state}`,
          `${insert({ [field.key]: literal(state) })}; select 'made'`,
          'nothing',
        );
      if (lifecycle)
        add(
          'trail',
          field.key,
          'begin as usual',
          `${insert({})}; reset role; select ${quote(field.key)} from ${this.#table} where id = ${id}`,
          lifecycle.initial,
        );
    }
    add(
      'trail',
      null,
      'what a purge leaves behind',
      `${insert({})}; reset role; delete from ${this.#table} where id = ${id};
       select count(*) from armature.outbox where record_id = ${id} and operation = 'delete'`,
      '1',
    );
    const owner = this.#entity.owner ? 'x.owner = x.created_by' : 'true';
    add(
      'trail',
      null,
      'what a creation leaves behind',
      `${insert({})}; reset role; select x.version, ${owner}, x.created_by, x.updated_by, x.created_at is not null, x.updated_at is not null,
        (select count(*) from armature.outbox o where o.record_id = x.id and operation = 'create')
       from ${this.#table} x where id = ${id}`,
      [1, true, person.userId, person.userId, true, true, 1].join(' '),
    );
  }

  /** Parts have the rights of what they are part of: to see them is to read it, to change them is to change its list. */
  #may(person: WorldPerson, action: string, subject: Subject & { readonly id?: string }, field?: Field): boolean {
    const { parent, name } = this.#entity;
    const whole = parent === null ? undefined : this.#model.entities.get(parent.entity);
    if (whole) {
      const list = [...whole.fields.values()].find(({ children }) => children?.entity === name);
      const does = action === 'read' ? 'read' : 'update';
      return this.#expectation.allows(person, does, whole.name, subject, list?.key);
    }
    if (field === undefined) return this.#expectation.allows(person, action, name, subject);
    // A part of a field is shown and changed with it.
    return this.#expectation.allows(person, action, name, subject, field.companionOf ?? field.key);
  }

  /** Columns that policies and guards look at with everybody's own rights (see `engine/schema/policy-columns.ts`). */
  #looked(): ReadonlySet<string> {
    const guards = [...this.#entity.fields.values()].map(({ guards: all }) => JSON.stringify([...(all ?? [])]));
    const named = [...guards.join().matchAll(/"field":"(\w+)"/g)].map(([, key]) => key ?? '');
    const team = this.#entity.name === 'core.user' ? ['team'] : [];
    return new Set(['id', 'version', 'owner', 'deleted_at', this.#entity.parent?.field ?? 'id', ...named, ...team]);
  }

  /** Of the records one of each sort: who owns it, and what the person may do with it. */
  #ofEachSort(person: WorldPerson): readonly Row[] {
    const sorts = Map.groupBy(this.#rows, (row) =>
      [
        row.owner === person.userId,
        person.members.includes(row.owner ?? ''),
        row.id === person.userId,
        this.#may(person, 'read', row),
        this.#may(person, 'update', row),
      ].join(),
    );
    return [...sorts.values()].flatMap(([first]) => first ?? []);
  }

  /** SQL of a value the column takes that is not the present one; `null` when there is none to be had. */
  #valueFor(field: Field, row: Row | undefined): string | null {
    if (field.lifecycle !== null) return null;
    const present = row?.values[field.key] ?? null;
    if (field.options['pattern'] !== undefined) return literalOrNull(present);
    if (field.reference && !field.system) {
      if (present !== null) return field.required ? literalOrNull(present) : 'null';
      const other = this.#rows.find(({ values }) => typeof values[field.key] === 'string');
      if (other) return literalOrNull(other.values[field.key]);
      if (field.reference.entity === 'core.user') return 'armature.user_id()';
      const target = this.#model.entities.get(field.reference.entity);
      const schema = this.#table.split('.')[0];
      return target && !field.required && !target.owner && target.parent === null && target.pack !== 'core'
        ? `(select id from ${schema}.${quote(target.table)} order by id limit 1)`
        : null;
    }
    if (field.key === 'id') return `gen_random_uuid()`;
    if (field.key === 'version') return '99';
    if (field.key === 'deleted_at') return null;
    if (field.system) return field.key.endsWith('_at') ? 'now()' : null;
    if (field.type.computed === true || field.formula !== null) return null;
    const canary = canaryValue(field, token());
    if (Array.isArray(canary)) return `array[${canary.map(literal).join()}]`;
    if (typeof canary === 'string') return literal(canary);
    const choice = field.choices?.find(({ key }) => key !== row?.values[field.key]);
    if (choice) return literal(choice.key);
    if (field.type.key === 'boolean') return String(row?.values[field.key] !== true);
    if (field.type.key === 'percent') return '12';
    if (field.type.key === 'currency') return literal('USD');
    if (field.type.key === 'datetime') return 'now()';
    if (field.type.key === 'date') return `date '2026-02-03'`;
    if (field.type.key === 'integer') return String(Number(field.options['min'] ?? 0) + 1);
    return null;
  }

  #requiredColumns(row: Row | undefined): Record<string, string> | null {
    const values: Record<string, string> = {};
    for (const field of this.#columns) {
      if (field.system || !field.required || field.default !== undefined || field.readOnly) continue;
      const value = field.reference ? literalOrNull(row?.values[field.key]) : this.#valueFor(field, row);
      if (value === null) return null;
      values[field.key] = value;
    }
    return values;
  }
}

/** SQL of what a step sets. */
function setTo(value: unknown): string {
  if (typeof value !== 'object' || value === null)
    return value === null ? 'null' : literal(typeof value === 'string' ? value : JSON.stringify(value));
  if ('now' in value) return 'now()';
  return 'today' in value ? 'current_date' : 'armature.user_id()';
}

const literalOrNull = (value: unknown): string => (typeof value === 'string' ? literal(value) : 'null');
