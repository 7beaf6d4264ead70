/**
 * What a person may do in Postgres itself, with the database role of their requests and nothing before it: the second
 * layer alone, statement by statement, held against the expectation. Each case undoes what it did.
 */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { literal, qualified, quote } from '#engine/db/identifiers.ts';

import { fieldsOf } from '#engine/records/read/access.ts';
import { deadlineOf } from '#engine/model/deadline.ts';
import type { Entity, Field, Model } from '#engine/model/model.ts';
import type { Expectation, Facts, Subject } from './expectation.ts';
import { type Actor, suspended, BROKEN_RULE, type Part, type SqlCase } from './sql-run.ts';
import { literalOrNull, setTo, SqlValues } from './sql-values.ts';
import { type Row, subjectsOf } from './subjects.ts';
import type { WorldPerson } from './world.ts';

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
  readonly #values: SqlValues;

  static async open(
    superuser: pg.Client,
    model: Model,
    entity: Entity,
    tenant: string,
    expectation: Expectation,
  ): Promise<EntityCases> {
    const rows = await subjectsOf(superuser, model, entity, tenant, expectation);
    const history = entity.history
      ? await superuser.query<{ record: string; field: string }>(
          `select record_id as record, field_id as field from ${qualified(`t_${tenant}`, `h_${entity.table}`)} order by 1, 2`,
        )
      : { rows: [] };
    return new EntityCases(model, entity, expectation, tenant, rows, history.rows);
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
    this.#values = new SqlValues(model, entity, expectation, rows, this.#table);
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
    this.#movesAll(person.person, add);
    this.#breaksRules(person.person, rows, add);
    this.#inserts(person, rows, add);
    return cases;
  }

  #reads({ person }: Actor, add: Add): void {
    const seen = this.#rows.filter((row) => this.#may(person, 'read', row));
    const ids = seen.map(({ id }) => id).join('\n');
    add('rows', null, 'which records', `select id from ${this.#table} order by id`, ids === '' ? 'nothing' : ids);
    const looked = this.#looked();
    for (const field of this.#columns) {
      // A grant is the role's: that no record with the field is shown does not take it away.
      const known = seen.length > 0 && this.#knows(person, field);
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
      const value = this.#values.valueFor(field, row);
      if (value === null) continue;
      const set = `${quote(field.key)} = ${value}`;
      const kept = field.system || field.readOnly || field.formula !== null || field.type.computed === true;
      const may = !kept && this.#may(person, 'update', row, field) && this.#stays(person, row, field);
      const done = this.#isRuled(field) ? BROKEN_RULE : 'done';
      const sql = `update ${this.#table} set ${set} ${where}`;
      add('update', field.key, `change ${field.key}`, sql, may ? done : 'nothing');
      if (may && !field.reference && !this.#isRuled(field)) trail ??= { set, field };
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
      // Postgres sees from where a step leads where, and not what it is called.
      const takes = possible.some(
        (one) => one.to === to && this.#expectation.takes(person, this.#entity.name, row, one.key),
      );
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
        !this.#decides(one) &&
        this.#values.valueFor(one, reached[0]) !== null &&
        reached.every((row) => this.#may(person, 'update', row, one)),
    );
    if (field && reached.length > 0) {
      const sql = `update ${this.#table} set ${quote(field.key)} = ${this.#values.valueFor(field, reached[0])}`;
      add('update', field.key, 'change all', sql, `UPDATE ${reached.length}`);
    }
    if (this.#entity.softDelete || this.#entity.pack === 'core') return;
    const gone = this.#rows.filter((row) => this.#may(person, 'delete', row)).length;
    add('delete', null, 'delete all', `delete from ${this.#table}`, gone === 0 ? 'nothing' : `DELETE ${gone}`);
  }

  /**
   * What a condition asks for is given the value of another record on all records at once: without a WHERE only the
   * policy's check looks at what becomes of them.
   */
  #movesAll(person: WorldPerson, add: Add): void {
    const reached = this.#rows.filter(
      (row) => this.#may(person, 'update', row) || (this.#entity.softDelete && this.#may(person, 'delete', row)),
    );
    for (const field of this.#columns.filter((one) => this.#decides(one) && one.type.key === 'team')) {
      for (const team of new Set(this.#rows.map(({ values }) => values[field.key]))) {
        const facts = { [field.key]: team };
        const stay = reached.every((row) => this.#may(person, 'update', { ...row, facts: { ...row.facts, ...facts } }));
        const sql = `update ${this.#table} set ${quote(field.key)} = ${literalOrNull(team)}`;
        const outcome = stay && reached.length > 0 ? `UPDATE ${reached.length}` : 'nothing';
        add('update', field.key, 'move all', sql, outcome);
      }
    }
  }

  /** Of two dates the later one first; a member who is nobody. */
  #breaksRules(person: WorldPerson, rows: readonly Row[], add: Add): void {
    for (const rule of this.#model.rules.get(this.#entity.name) ?? []) {
      const keys = [...new Set(fieldsOf(rule.broken).map(({ field }) => field))];
      const row = rows.find((one) =>
        keys.every((key) => this.#may(person, 'update', one, this.#entity.fields.get(key))),
      );
      if (!row) continue;
      const values = keys.map((key) => {
        if (this.#entity.fields.get(key)?.type.key !== 'date') return 'null';
        return key === rule.field ? `date '2026-02-03'` : `date '2026-03-04'`;
      });
      const sql = `update ${this.#table} set ${keys.map((key, at) => `${quote(key)} = ${values[at]}`).join()} where id = ${literal(row.id)}`;
      add('trail', keys, `break the rule ${rule.name}`, sql, BROKEN_RULE);
    }
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

  #inserts({ person, session }: Actor, rows: readonly Row[], add: Add): void {
    const base = this.#values.requiredColumns(rows[0]);
    if (base === null) return;
    const id = literal(randomUUID());
    const insert = (more: Readonly<Record<string, string>>) => {
      const values = { id, ...base, ...more };
      return `insert into ${this.#table} (${Object.keys(values).map(quote).join()}) values (${Object.values(values).join()})`;
    };
    const facts = this.#factsOfNew(rows[0]);
    const own: Subject = { tenant: person.tenant, owner: person.userId, facts };
    const inTenant = this.#rows.some(({ tenant }) => tenant === person.tenant);
    if (this.#entity.key === 'campaign_member')
      base['contact'] = literalOrNull(this.#rows.find(({ values }) => values['contact'])?.values['contact']);
    const first = this.#entity.parent === null ? undefined : rows.find((row) => this.#may(person, 'create', row));
    if (this.#entity.parent !== null && first)
      base[this.#entity.parent.field] = literalOrNull(first.values[this.#entity.parent.field]);
    const mine = inTenant && (this.#entity.parent === null ? this.#may(person, 'create', own) : first !== undefined);
    if (this.#entity.parent === null) {
      for (const row of this.#entity.owner ? rows : []) {
        const may = this.#may(person, 'create', { ...row, facts });
        const sql = `${insert({ owner: literalOrNull(row.owner) })}; select 'made'`;
        add('insert', 'owner', 'make one for this owner', sql, may ? 'made' : 'nothing');
        const suspend = suspended(`t_${person.tenant}`, row.owner, session);
        if (may && row.owner !== person.userId)
          add('insert', 'owner', 'make one for somebody who is suspended', `${suspend}; ${sql}`, 'nothing');
        for (const field of this.#columns.filter((one) => this.#decides(one) && one.type.key === 'team')) {
          for (const team of new Set(this.#rows.map(({ values }) => values[field.key]))) {
            const given = { owner: literalOrNull(row.owner), [field.key]: literalOrNull(team) };
            const subject = { ...row, facts: { ...facts, [field.key]: team } };
            const made = this.#may(person, 'create', subject) ? 'made' : 'nothing';
            add('insert', field.key, 'make one for this team', `${insert(given)}; select 'made'`, made);
          }
        }
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
      const value = this.#values.valueFor(field, rows[0]);
      if (value === null) continue;
      const whole = this.#entity.parent === null ? own : (first ?? own);
      const after = this.#decides(field)
        ? { ...whole, facts: { ...facts, ...this.#values.factsWith(field, rows[0]) } }
        : whole;
      const may = this.#may(person, 'create', after, field);
      const sql = `${insert({ [field.key]: value })}; select 'made'`;
      const made = this.#isRuled(field) ? BROKEN_RULE : 'made';
      add('insert', field.key, `give ${field.key}`, sql, may ? made : 'nothing');
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
    for (const field of this.#columns) {
      const deadline = deadlineOf(field);
      const target = this.#model.entities.get(this.#entity.fields.get(deadline?.via ?? '')?.reference?.entity ?? '');
      if (!deadline || !target) continue;
      const via = `(select id from ${this.#table.split('.')[0]}.${quote(target.table)} order by id limit 1)`;
      const given = insert({ [deadline.from]: 'now()', [deadline.via]: via });
      const sql = `${given}; reset role; select ${quote(field.key)} > now() from ${this.#table} where id = ${id}`;
      add('trail', field.key, `be given ${field.key}`, sql, 'true');
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

  /** Whether any change of the field by itself breaks a rule: who is a member of a campaign is a contact or a lead. */
  #isRuled({ key }: Field): boolean {
    return this.#entity.key === 'campaign_member' && (key === 'contact' || key === 'lead');
  }

  /** Whether a condition of a permission asks for the field. */
  #decides(field: Field): boolean {
    return this.#expectation.factsOf(this.#entity.name).some((fact) => fact.split('.')[0] === field.key);
  }

  /** Whether the record may be read and changed as well when the field has the value of {@link SqlValues.valueFor}. */
  #stays(person: WorldPerson, row: Row, field: Field): boolean {
    if (!this.#decides(field)) return true;
    const after = { ...row, facts: { ...row.facts, ...this.#values.factsWith(field, row) } };
    return ['read', 'update'].every((action) => this.#may(person, action, after));
  }

  /** Of a record with nothing but what it needs, whose references are those of `like`. */
  #factsOfNew(like: Row | undefined): Facts {
    const facts = this.#expectation.factsOf(this.#entity.name).map((fact) => {
      const field = this.#entity.fields.get(fact.split('.')[0] ?? fact);
      const lifecycle = field?.lifecycle ?? null;
      const initial = lifecycle === null ? null : (this.#model.lifecycles.get(lifecycle)?.initial ?? null);
      return [fact, field?.required ? (like?.facts[fact] ?? null) : initial] as const;
    });
    return Object.fromEntries(facts);
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

  #knows(person: WorldPerson, field: Field): boolean {
    const { parent, name } = this.#entity;
    const whole = parent === null ? undefined : this.#model.entities.get(parent.entity);
    const list = [...(whole?.fields.values() ?? [])].find(({ children }) => children?.entity === name);
    if (whole && list) return this.#expectation.knows(person, 'read', whole.name, list.key);
    return this.#expectation.knows(person, 'read', name, field.key);
  }

  /** Columns that policies and guards look at with everybody's own rights (see `engine/schema/policy-columns.ts`). */
  #looked(): ReadonlySet<string> {
    const guards = [...this.#entity.fields.values()].map(({ guards: all }) => JSON.stringify([...(all ?? [])]));
    const named = [...guards.join().matchAll(/"field":"(\w+)"/g)].map(([, key]) => key ?? '');
    const team = this.#entity.name === 'core.user' ? ['team'] : [];
    const asked = this.#expectation.factsOf(this.#entity.name).map((fact) => fact.split('.')[0] ?? fact);
    const parent = this.#entity.parent?.field ?? 'id';
    return new Set(['id', 'version', 'owner', 'deleted_at', parent, ...named, ...team, ...asked]);
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
}
