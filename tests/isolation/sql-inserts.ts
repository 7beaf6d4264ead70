/** Statements that make records: for whom, with which values, and what triggers keep of it. */
import { randomUUID } from 'node:crypto';
import { literal, quote } from '#engine/db/identifiers.ts';
import { deadlineOf } from '#engine/model/deadline.ts';
import type { Subject } from './expectation.ts';
import type { Add } from './sql-run.ts';
import type { EntityTable } from './sql-table.ts';
import { literalOrNull } from './sql-values.ts';
import type { Row } from './subjects.ts';
import type { WorldPerson } from './world.ts';

const ALWAYS_KEPT = ['version', 'created_at', 'created_by', 'updated_at', 'updated_by'];

export function insertCases(of: EntityTable, person: WorldPerson, rows: readonly Row[], add: Add): void {
  const base = of.values.requiredColumns(rows[0]);
  if (base === null) return;
  const id = literal(randomUUID());
  const insert = (more: Readonly<Record<string, string>>) => {
    const values = { id, ...base, ...more };
    return `insert into ${of.table} (${Object.keys(values).map(quote).join()}) values (${Object.values(values).join()})`;
  };
  const facts = of.factsOfNew(rows[0]);
  const own: Subject = { tenant: person.tenant, owner: person.userId, facts };
  const inTenant = of.rows.some(({ tenant }) => tenant === person.tenant);
  if (of.entity.key === 'campaign_member')
    base['contact'] = literalOrNull(of.rows.find(({ values }) => values['contact'])?.values['contact']);
  const first = of.entity.parent === null ? undefined : rows.find((row) => of.may(person, 'create', row));
  if (of.entity.parent !== null && first)
    base[of.entity.parent.field] = literalOrNull(first.values[of.entity.parent.field]);
  const mine = inTenant && (of.entity.parent === null ? of.may(person, 'create', own) : first !== undefined);
  if (of.entity.parent === null) {
    for (const row of of.entity.owner ? rows : []) {
      const may = of.may(person, 'create', { ...row, facts });
      const sql = `${insert({ owner: literalOrNull(row.owner) })}; select 'made'`;
      add('insert', 'owner', 'make one for this owner', sql, may ? 'made' : 'nothing');
      for (const field of of.columns.filter((one) => of.decides(one) && one.type.key === 'team')) {
        for (const team of new Set(of.rows.map(({ values }) => values[field.key]))) {
          const given = { owner: literalOrNull(row.owner), [field.key]: literalOrNull(team) };
          const subject = { ...row, facts: { ...facts, [field.key]: team } };
          const made = of.may(person, 'create', subject) ? 'made' : 'nothing';
          add('insert', field.key, 'make one for this team', `${insert(given)}; select 'made'`, made);
        }
      }
    }
    add('insert', null, 'make one', `${insert({})}; select 'made'`, mine ? 'made' : 'nothing');
  } else {
    for (const row of rows) {
      const parent = literalOrNull(row.values[of.entity.parent.field]);
      const may = of.may(person, 'create', row);
      const sql = `${insert({ [of.entity.parent.field]: parent })}; select 'made'`;
      add('insert', null, 'make a part', sql, may ? 'made' : 'nothing');
    }
  }
  for (const key of ALWAYS_KEPT) {
    const value = key === 'version' ? '7' : key.endsWith('_at') ? 'now()' : literal(person.userId);
    add('insert', key, `give ${key}`, `${insert({ [key]: value })}; select 'made'`, 'nothing');
  }
  if (!mine) return;
  for (const field of of.columns) {
    if (field.system || field.readOnly || field.key in base) continue;
    const value = of.values.valueFor(field, rows[0]);
    if (value === null) continue;
    const whole = of.entity.parent === null ? own : (first ?? own);
    const after = of.decides(field) ? { ...whole, facts: { ...facts, ...of.values.factsWith(field, rows[0]) } } : whole;
    const may = of.may(person, 'create', after, field);
    const sql = `${insert({ [field.key]: value })}; select 'made'`;
    add('insert', field.key, `give ${field.key}`, sql, may ? of.comesTo(field, 'made') : 'nothing');
  }
  for (const field of of.columns) {
    const lifecycle = field.lifecycle === null ? undefined : of.model.lifecycles.get(field.lifecycle);
    const state = lifecycle && [...lifecycle.states.keys()].find((one) => !lifecycle.createIn.has(one));
    if (lifecycle) {
      const begin = `${insert({ [field.key]: literal(lifecycle.initial) })}; select 'made'`;
      add('insert', field.key, `give ${field.key}`, begin, of.may(person, 'create', own, field) ? 'made' : 'nothing');
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
        `${insert({})}; reset role; select ${quote(field.key)} from ${of.table} where id = ${id}`,
        lifecycle.initial,
      );
  }
  for (const field of of.columns) {
    const deadline = deadlineOf(field);
    const target = of.model.entities.get(of.entity.fields.get(deadline?.via ?? '')?.reference?.entity ?? '');
    if (!deadline || !target) continue;
    const via = `(select id from ${of.table.split('.')[0]}.${quote(target.table)} order by id limit 1)`;
    const given = insert({ [deadline.from]: 'now()', [deadline.via]: via });
    const sql = `${given}; reset role; select ${quote(field.key)} > now() from ${of.table} where id = ${id}`;
    add('trail', field.key, `be given ${field.key}`, sql, 'true');
  }
  add(
    'trail',
    null,
    'what a purge leaves behind',
    `${insert({})}; reset role; delete from ${of.table} where id = ${id};
     select count(*) from armature.outbox where record_id = ${id} and operation = 'delete'`,
    '1',
  );
  const owner = of.entity.owner ? 'x.owner = x.created_by' : 'true';
  add(
    'trail',
    null,
    'what a creation leaves behind',
    `${insert({})}; reset role; select x.version, ${owner}, x.created_by, x.updated_by, x.created_at is not null, x.updated_at is not null,
      (select count(*) from armature.outbox o where o.record_id = x.id and operation = 'create')
     from ${of.table} x where id = ${id}`,
    [1, true, person.userId, person.userId, true, true, 1].join(' '),
  );
}
