/**
 * What a person may do in Postgres itself, with the database role of their requests and nothing before it: the second
 * layer alone, statement by statement, held against the expectation. Each case undoes what it did.
 */
import { literal, quote } from '#engine/db/identifiers.ts';
import { fieldsOf } from '#engine/records/read/access.ts';
import type { Field } from '#engine/model/model.ts';
import { insertCases } from './sql-inserts.ts';
import { type Actor, type Add, BROKEN_RULE, collecting, type SqlCase } from './sql-run.ts';
import type { EntityTable } from './sql-table.ts';
import { literalOrNull, setTo } from './sql-values.ts';
import type { Row } from './subjects.ts';
import type { WorldPerson } from './world.ts';

/** The cases of one entity's table. */
export class EntityCases {
  readonly #of: EntityTable;

  constructor(of: EntityTable) {
    this.#of = of;
  }

  of(person: Actor): readonly SqlCase[] {
    const { cases, add } = collecting(person);
    this.#reads(person, add);
    const rows = this.#of.ofEachSort(person.person);
    for (const row of rows) this.#updates(person.person, row, add);
    this.#changesAll(person.person, add);
    this.#movesAll(person.person, add);
    this.#breaksRules(person.person, rows, add);
    insertCases(this.#of, person, rows, add);
    return cases;
  }

  #reads({ person }: Actor, add: Add): void {
    const seen = this.#of.rows.filter((row) => this.#of.may(person, 'read', row));
    const ids = seen.map(({ id }) => id).join('\n');
    add('rows', null, 'which records', `select id from ${this.#of.table} order by id`, ids === '' ? 'nothing' : ids);
    const looked = this.#of.looked();
    for (const field of this.#of.columns) {
      // A grant is the role's: that no record with the field is shown does not take it away.
      const known = seen.length > 0 && this.#of.knows(person, field);
      // What is there for policies to look at says nothing where no record is shown.
      if (looked.has(field.key) && !known) continue;
      const sql = `select 'shown' from (select ${quote(field.key)} from ${this.#of.table} limit 1) x`;
      add('read', field.key, `read ${field.key}`, sql, known ? 'shown' : 'nothing');
    }
    if (!this.#of.entity.history) return;
    const told = this.#of.history.flatMap(({ record, field, value }) => {
      const row = this.#of.rows.find(({ id }) => id === record);
      const of = this.#of.entity.fieldsById.get(field);
      if (!row || !of || !this.#of.may(person, 'read', row, of)) return [];
      // A link is told to whoever sees the record at its other end.
      const far = of.many === null ? undefined : this.#of.others.get(of.many.entity);
      return far === undefined || far.shows(person, value) ? [`${record} ${field}`] : [];
    });
    const history = this.#of.table.replace(quote(this.#of.entity.table), quote(`h_${this.#of.entity.table}`));
    const sql = `select record_id, field_id from ${history} order by 1, 2`;
    add('history', null, 'which changes', sql, told.length === 0 ? 'nothing' : told.join('\n'));
  }

  #updates(person: WorldPerson, row: Row, add: Add): void {
    const where = `where id = ${literal(row.id)} returning 'done'`;
    const outcome = (may: boolean) => (may ? 'done' : 'nothing');
    let trail: { readonly set: string; readonly field: Field } | null = null;
    for (const field of this.#of.columns) {
      const value = this.#of.values.valueFor(field, row);
      if (value === null) continue;
      const set = `${quote(field.key)} = ${value}`;
      const kept = field.system || field.readOnly || field.formula !== null || field.type.computed === true;
      // A row that nobody may read is found by no condition.
      const reaches = this.#of.may(person, 'read', row) && this.#of.may(person, 'update', row, field);
      const may = !kept && reaches && this.#of.stays(person, row, field);
      const done = this.#of.comesTo(field, 'done');
      const sql = `update ${this.#of.table} set ${set} ${where}`;
      add('update', field.key, `change ${field.key}`, sql, may ? done : 'nothing');
      if (may && !field.reference && done === 'done') trail ??= { set, field };
    }
    if (this.#of.entity.parent !== null && this.#of.may(person, 'update', row)) {
      const key = this.#of.entity.parent.field;
      const foreign = this.#of.rows.find((one) => !this.#of.may(person, 'update', one))?.values[key];
      const set = `${quote(key)} = ${literalOrNull(foreign)}`;
      if (foreign) add('update', key, 'move to another whole', `update ${this.#of.table} set ${set}`, 'nothing');
    }
    if (this.#of.entity.softDelete)
      add(
        'delete',
        'deleted_at',
        'delete',
        `update ${this.#of.table} set deleted_at = now() ${where}`,
        outcome(this.#of.may(person, 'delete', row)),
      );
    const forGood =
      !this.#of.entity.softDelete && this.#of.may(person, 'delete', row) && this.#of.may(person, 'read', row);
    add('delete', null, 'delete for good', `delete from ${this.#of.table} ${where}`, outcome(forGood));
    if (trail) this.#trail(person, row, trail.set, trail.field, add);
    for (const field of this.#of.columns) this.#steps(person, row, field, add);
  }

  /** A step that no lifecycle has is refused, whoever takes it; others are for whoever may take them. */
  #steps(person: WorldPerson, row: Row, field: Field, add: Add): void {
    const lifecycle = field.lifecycle === null ? undefined : this.#of.model.lifecycles.get(field.lifecycle);
    if (!lifecycle) return;
    const from = row.values[field.key];
    const possible = [...lifecycle.transitions.values()].filter((one) => one.from.some((state) => state === from));
    const where = `where id = ${literal(row.id)} returning 'done'`;
    for (const { key, to, sets } of possible) {
      // Postgres sees from where a step leads where, and not what it is called.
      const takes = possible.some(
        (one) => one.to === to && this.#of.expectation.takes(person, this.#of.entity.name, row, one.key),
      );
      const given = Object.entries(sets).map(([column, value]) => `${quote(column)} = ${setTo(value)}`);
      const sql = `update ${this.#of.table} set ${[`${quote(field.key)} = ${literal(to)}`, ...given].join()} ${where}`;
      add('update', [field.key, ...Object.keys(sets)], `take ${key}`, sql, takes ? 'done' : 'nothing');
    }
    const state = [...lifecycle.states.keys()].find((one) => one !== from && !possible.some(({ to }) => to === one));
    if (state === undefined) return;
    const sql = `update ${this.#of.table} set ${quote(field.key)} = ${literal(state)} ${where}`;
    add('update', field.key, `move to ${state}`, sql, 'nothing');
  }

  /** Without a WHERE only the rule for changing counts: Postgres asks the one for reading only of what a statement reads. */
  #changesAll(person: WorldPerson, add: Add): void {
    const reached = this.#of.rows.filter(
      (row) =>
        this.#of.may(person, 'update', row) || (this.#of.entity.softDelete && this.#of.may(person, 'delete', row)),
    );
    const field = this.#of.columns.find(
      (one) =>
        !one.system &&
        !one.readOnly &&
        !one.unique &&
        one.type.attached === undefined &&
        one.choices === null &&
        !this.#of.decides(one) &&
        this.#of.values.valueFor(one, reached[0]) !== null &&
        reached.every((row) => this.#of.may(person, 'update', row, one)),
    );
    if (field && reached.length > 0) {
      const sql = `update ${this.#of.table} set ${quote(field.key)} = ${this.#of.values.valueFor(field, reached[0])}`;
      add('update', field.key, 'change all', sql, `UPDATE ${reached.length}`);
    }
    if (this.#of.entity.softDelete || this.#of.entity.pack === 'core') return;
    const gone = this.#of.rows.filter((row) => this.#of.may(person, 'delete', row)).length;
    add('delete', null, 'delete all', `delete from ${this.#of.table}`, gone === 0 ? 'nothing' : `DELETE ${gone}`);
  }

  /**
   * What a condition asks for is given the value of another record on all records at once: without a WHERE only the
   * policy's check looks at what becomes of them.
   */
  #movesAll(person: WorldPerson, add: Add): void {
    const reached = this.#of.rows.filter(
      (row) =>
        this.#of.may(person, 'update', row) || (this.#of.entity.softDelete && this.#of.may(person, 'delete', row)),
    );
    for (const field of this.#of.columns.filter((one) => this.#of.decides(one) && one.type.key === 'team')) {
      for (const team of new Set(this.#of.rows.map(({ values }) => values[field.key]))) {
        const facts = { [field.key]: team };
        const stay = reached.every((row) =>
          this.#of.may(person, 'update', { ...row, facts: { ...row.facts, ...facts } }),
        );
        const sql = `update ${this.#of.table} set ${quote(field.key)} = ${literalOrNull(team)}`;
        const outcome = stay && reached.length > 0 ? `UPDATE ${reached.length}` : 'nothing';
        add('update', field.key, 'move all', sql, outcome);
      }
    }
  }

  /** Of two dates the later one first; a member who is nobody. */
  #breaksRules(person: WorldPerson, rows: readonly Row[], add: Add): void {
    for (const rule of this.#of.model.rules.get(this.#of.entity.name) ?? []) {
      const keys = [...new Set(fieldsOf(rule.broken).map(({ field }) => field))];
      const row = rows.find((one) =>
        keys.every((key) => this.#of.may(person, 'update', one, this.#of.entity.fields.get(key))),
      );
      if (!row) continue;
      const values = keys.map((key) => {
        if (this.#of.entity.fields.get(key)?.type.key !== 'date') return 'null';
        return key === rule.field ? `date '2026-02-03'` : `date '2026-03-04'`;
      });
      const sql = `update ${this.#of.table} set ${keys.map((key, at) => `${quote(key)} = ${values[at]}`).join()} where id = ${literal(row.id)}`;
      add('trail', keys, `break the rule ${rule.name}`, sql, BROKEN_RULE);
    }
  }

  /** What triggers keep: the version, who and when, the history, the outbox. */
  #trail(person: WorldPerson, row: Row, set: string, field: Field, add: Add): void {
    const { table, history, softDelete } = this.#of.entity;
    const kept = history
      ? `(select count(*) from ${this.#of.table.replace(quote(table), quote(`h_${table}`))} where record_id = x.id and field_id = ${literal(field.id)} and version = x.version and actor = x.updated_by)`
      : '1';
    const told = `(select count(*) from armature.outbox o where o.record_id = x.id and o.version = x.version and o.operation = 'update')`;
    const before = row.values;
    add(
      'trail',
      null,
      'what a change leaves behind',
      `update ${this.#of.table} set ${set} where id = ${literal(row.id)}; reset role;
       select x.version, x.updated_by, x.created_by is not distinct from ${literalOrNull(before['created_by'])}, x.updated_at > ${literalOrNull(before['updated_at'])},
        x.created_at = ${literalOrNull(before['created_at'])}, ${kept}, ${told} from ${this.#of.table} x where id = ${literal(row.id)}`,
      [Number(before['version']) + 1, person.userId, true, true, true, 1, 1].join(' '),
    );
    add(
      'trail',
      null,
      'who made it, and when, stays',
      `reset role; update ${this.#of.table} set created_at = now() - interval '1 day', created_by = gen_random_uuid() where id = ${literal(row.id)};
       select created_at = ${literalOrNull(before['created_at'])}, created_by is not distinct from ${literalOrNull(before['created_by'])} from ${this.#of.table} where id = ${literal(row.id)}`,
      'true true',
    );
    if (!softDelete || !this.#of.may(person, 'delete', row)) return;
    add(
      'trail',
      null,
      'what a deletion leaves behind',
      `update ${this.#of.table} set deleted_at = now() where id = ${literal(row.id)}; reset role;
       select operation from armature.outbox where record_id = ${literal(row.id)} and version = ${Number(before['version']) + 1}`,
      'delete',
    );
  }
}
