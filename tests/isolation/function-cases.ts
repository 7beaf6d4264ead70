/**
 * What a person gets of the functions that run as their owner: the commands that reach further than anybody's rights,
 * the search, the look for duplicates, and who has a record by a share. Called in SQL, with nothing before them.
 */
import type pg from 'pg';
import { literal, qualified, quote } from '#engine/db/identifiers.ts';
import type { Entity } from '#engine/model/model.ts';
import { indexedForSearch } from '#engine/model/search-fields.ts';
import { assignName } from '#engine/schema/assign.ts';
import { similarName } from '#engine/schema/duplicates.ts';
import { mergeName } from '#engine/schema/merge.ts';
import { searchFunctionName } from '#engine/schema/names.ts';
import { purgeName } from '#engine/schema/purge.ts';
import type { Actor, SqlCase } from './sql-run.ts';
import type { EntityTable } from './sql-table.ts';
import type { Row } from './subjects.ts';

/** Calls of one function: by its name. */
type Calls = Map<string, SqlCase[]>;
type Add = (name: string, title: string, sql: string, expected: string) => void;

export class FunctionCases {
  readonly #tables: ReadonlyMap<string, EntityTable>;
  readonly #known: ReadonlySet<string>;
  readonly #schema: string;
  readonly #roles: readonly string[];

  static async open(
    superuser: pg.Client,
    tables: ReadonlyMap<string, EntityTable>,
    schema: string,
    roles: readonly string[],
  ): Promise<FunctionCases> {
    const { rows } = await superuser.query<{ name: string }>(
      `select proname as name from pg_proc where pronamespace = $1::regnamespace and prosecdef`,
      [quote(schema)],
    );
    return new FunctionCases(tables, new Set(rows.map(({ name }) => name)), schema, roles);
  }

  private constructor(
    tables: ReadonlyMap<string, EntityTable>,
    known: ReadonlySet<string>,
    schema: string,
    roles: readonly string[],
  ) {
    this.#tables = tables;
    this.#known = known;
    this.#schema = schema;
    this.#roles = roles;
  }

  /** By the function's name. */
  of(actors: readonly Actor[]): Calls {
    const calls: Calls = new Map();
    for (const actor of actors) {
      const add: Add = (name, title, sql, expected) => {
        const own = calls.get(name) ?? [];
        calls.set(name, own);
        own.push({ part: 'call', columns: [], title: `${actor.person.name}: ${title}`, sql, expected, person: actor });
      };
      for (const table of this.#tables.values()) {
        const rows = table.rows.filter(({ values }) => values['deleted_at'] == null);
        const sorts = this.#ofEachSort(actor, table, rows);
        this.#assigns(actor, table, sorts, add);
        this.#merges(actor, table, rows, add);
        this.#purges(actor, table, sorts, add);
        this.#likes(actor, table, sorts, add);
        this.#searches(actor, table, sorts, add);
      }
      this.#shares(actor, add);
    }
    return calls;
  }

  #assigns(actor: Actor, table: EntityTable, rows: readonly Row[], add: Add): void {
    const name = assignName(table.entity);
    if (!this.#known.has(name)) return;
    const people = this.#tables.get('core.user')?.rows ?? [];
    for (const row of rows) {
      const may = this.#may(actor, table, row, ['read', 'assign']);
      const to = people.find(({ id }) => id !== row.owner)?.id ?? '';
      const call = (owner: string, version = 'null') =>
        `select ${qualified(this.#schema, name)}(${literal(row.id)}, ${owner}, ${version})`;
      const after = String(Number(row.values['version']) + 1);
      add(name, 'assign', call(literal(to)), may ? after : 'nothing');
      if (!may) continue;
      add(name, 'assign another version', call(literal(to), '99'), 'nothing');
      add(name, 'assign this version', call(literal(to), String(row.values['version'])), after);
      add(name, 'assign to nobody', call('gen_random_uuid()'), 'nothing');
      const inactive = `update ${qualified(this.#schema, 'core_users')} set active = false where id = ${literal(to)}`;
      add(name, 'assign to somebody who left', this.#after(actor, inactive, call(literal(to))), 'nothing');
      const own = row.owner === null ? 'null' : literal(row.owner);
      if (row.owner !== null) add(name, 'assign to the owner', call(own), String(row.values['version']));
      if (table.entity.softDelete)
        add(name, 'assign what is in the bin', this.#after(actor, binned(table, row), call(literal(to))), 'nothing');
    }
  }

  #merges(actor: Actor, table: EntityTable, rows: readonly Row[], add: Add): void {
    const name = mergeName(table.entity);
    if (!this.#known.has(name)) return;
    const winners = this.#ofEachSort(actor, table, rows);
    if (table.entity.owner) this.#mergesOwn(actor, table, rows, add);
    for (const winner of winners) {
      for (const loser of this.#ofEachSort(
        actor,
        table,
        rows.filter((row) => row !== winner),
      )) {
        const may =
          this.#may(actor, table, winner, ['read', 'merge', 'update']) &&
          this.#may(actor, table, loser, ['read', 'merge', 'delete']);
        const call = (losers: string, version = 'null') =>
          `select 'done' from ${qualified(this.#schema, name)}(${literal(winner.id)}, ${losers}, ${version})`;
        const one = `array[${literal(loser.id)}]::uuid[]`;
        add(name, 'merge', call(one), may ? 'done' : 'nothing');
        if (!may) continue;
        add(name, 'merge into another version', call(one, '99'), 'nothing');
        add(name, 'merge into this version', call(one, String(winner.values['version'])), 'done');
        add(name, 'merge into itself', call(`array[${literal(winner.id)}]::uuid[]`), 'nothing');
        add(name, 'merge what is gone', call('array[gen_random_uuid()]'), 'nothing');
        add(name, 'merge what is in the bin', this.#after(actor, binned(table, loser), call(one)), 'nothing');
      }
    }
  }

  /** Of one's own there is only one record of each entity: another is given to the person before. */
  #mergesOwn(actor: Actor, table: EntityTable, rows: readonly Row[], add: Add): void {
    const me = actor.person.userId;
    const winner = rows.find(({ owner }) => owner === me);
    const loser = rows.find(({ owner }) => owner !== me);
    if (!winner || !loser || `t_${actor.person.tenant}` !== this.#schema) return;
    const name = mergeName(table.entity);
    const mine = { ...loser, owner: me };
    const may =
      this.#may(actor, table, winner, ['read', 'merge', 'update']) &&
      this.#may(actor, table, mine, ['read', 'merge', 'delete']);
    const call = `select 'done' from ${qualified(this.#schema, name)}(${literal(winner.id)}, array[${literal(loser.id)}]::uuid[], null)`;
    const given = `update ${table.table} set owner = ${literal(me)} where id = ${literal(loser.id)}`;
    add(name, 'merge two of one’s own', this.#after(actor, given, call), may ? 'done' : 'nothing');
  }

  #purges(actor: Actor, table: EntityTable, rows: readonly Row[], add: Add): void {
    const name = purgeName(table.entity);
    if (!this.#known.has(name)) return;
    for (const row of rows) {
      const may = this.#may(actor, table, row, ['read', 'purge']);
      const call = (...ids: readonly string[]) =>
        `select 'done' from ${qualified(this.#schema, name)}(array[${ids.join()}]::uuid[])`;
      add(name, 'purge', this.#after(actor, binned(table, row), call(literal(row.id))), may ? 'done' : 'nothing');
      if (!may) continue;
      add(name, 'purge what is not in the bin', call(literal(row.id)), 'nothing');
      const two = call(literal(row.id), 'gen_random_uuid()');
      add(name, 'purge what is gone', this.#after(actor, binned(table, row), two), 'nothing');
    }
  }

  /** A record is like itself. */
  #likes(actor: Actor, table: EntityTable, rows: readonly Row[], add: Add): void {
    const { entity } = table;
    const name = similarName(entity);
    if (!this.#known.has(name)) return;
    for (const rule of entity.duplicates) {
      const fields = rule.match.map(({ field }) => field);
      for (const row of rows) {
        const values = fields.map((field) => row.values[field]);
        if (values.some((value) => typeof value !== 'string')) continue;
        const given = `array[${values.map((value) => literal(String(value))).join()}]`;
        const call = (self: string, key = rule.key) =>
          `select 'found' from ${qualified(this.#schema, name)}(${literal(key)}, ${given}, ${self}) s where s.record = ${literal(row.id)}`;
        const may = table.expectation.coversAll(actor.person, 'read', entity.name, row, fields);
        add(name, `find what is like it by ${rule.key}`, call('null'), may ? 'found' : 'nothing');
        if (!may) continue;
        add(name, 'find itself', call(literal(row.id)), 'nothing');
        add(name, 'find another than this', call('gen_random_uuid()'), 'found');
        if (entity.softDelete)
          add(name, 'find what is in the bin', this.#after(actor, binned(table, row), call('null')), 'nothing');
        for (const [index, { field }] of rule.match.entries()) {
          const nobody = entity.fields.get(field)?.type.valueType === 'uuid' ? NOBODY : '§ something else §';
          const other = given.replace(literal(String(values[index])), literal(nobody));
          const sql = call('null').replace(given, other);
          add(name, `find by another ${field}`, sql, 'nothing');
        }
      }
    }
  }

  /** Each role has a function of its own, which finds what that role shows and nothing else. */
  #searches(actor: Actor, table: EntityTable, rows: readonly Row[], add: Add): void {
    const { entity } = table;
    for (const role of this.#roles) {
      const name = searchFunctionName(entity, role);
      if (!this.#known.has(name)) continue;
      for (const field of indexedForSearch(entity)) {
        for (const row of rows) {
          const value = row.values[field.key];
          const as = { ...actor.person, roles: [role] };
          if (typeof value !== 'string' || !table.expectation.knows(as, 'read', entity.name, field.key)) continue;
          const has = actor.person.roles.includes(role);
          const may = has && table.expectation.allows(as, 'read', entity.name, row);
          const pattern = `'%' || armature.fold(${literal(value)}) || '%'`;
          const sql = `select 'found' from ${qualified(this.#schema, name)}('§§§', ${pattern}) i where i = ${literal(row.id)}`;
          add(name, `find by ${field.key}`, sql, may ? 'found' : 'nothing');
          if (has && !may && entity.sharing) {
            const share = `insert into ${qualified(this.#schema, 'shares')} (id, entity, record, "user", level, created_at)
              values (gen_random_uuid(), ${literal(entity.id)}, ${literal(row.id)}, ${literal(actor.person.userId)}, 'read', now())`;
            add(name, 'find what is shared', this.#after(actor, share, sql), 'found');
          }
          if (may) add(name, 'find by nothing', sql.replace(pattern, literal('§§§')), 'nothing');
          const near = sql.replace(`'§§§', ${pattern}`, `armature.fold(${literal(value)}), '§§§'`);
          if (may) add(name, `find nearly by ${field.key}`, near, 'found');
        }
      }
    }
  }

  /** By a share of one's own, or of a team that one's own is a part of; not by one that is over, or of other records. */
  #shares(actor: Actor, add: Add): void {
    const [entity, another] = [...this.#tables.values()].flatMap((table) =>
      table.entity.sharing ? [table.entity] : [],
    );
    const teams = this.#tables.get('core.team')?.rows ?? [];
    if (!entity || !another || `t_${actor.person.tenant}` !== this.#schema) return;
    const above: string[] = [];
    for (let team = actor.session.team; team; ) {
      above.push(team);
      const parent = teams.find(({ id }) => id === team)?.values['parent'];
      team = typeof parent === 'string' ? parent : null;
    }
    const beside = teams.find(({ id }) => !above.includes(id))?.id;
    const me = actor.person.userId;
    const stranger = this.#tables.get('core.user')?.rows.find(({ id }) => id !== me)?.id;
    const to = [
      { user: me, reaches: true },
      { user: stranger, reaches: false },
      ...above.map((team) => ({ team, reaches: true })),
      { team: beside, reaches: false },
    ].filter((one) => Object.values(one).every((value) => value !== undefined));
    const kinds = [
      {},
      { until: `now() + interval '9 days'` },
      { until: `now() - interval '1 day'` },
      { ended_at: 'now()' },
      { entity: literal(another.id) },
    ];
    const rows = to.flatMap(({ reaches, ...whom }) =>
      kinds.flatMap((kind, index) =>
        ['read', 'write'].map((level) => ({ whom, kind, level, reaches: reaches && index < 2 })),
      ),
    );
    const made = rows.map((row, index) => ({
      ...row,
      id: `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    }));
    const inserts = made.map(({ id, whom, kind, level }) => {
      const [[key, value] = ['user', '']] = Object.entries(whom);
      const values = {
        id: literal(id),
        record: literal(id),
        entity: literal(entity.id),
        [key]: literal(value ?? ''),
        level: literal(level),
        created_at: 'now()',
        ...kind,
      };
      const columns = Object.keys(values).map(quote).join();
      return `insert into ${qualified(this.#schema, 'shares')} (${columns}) values (${Object.values(values).join()})`;
    });
    // Of teams alone as well: whether there are any is asked apart.
    for (const level of ['read', 'write']) {
      const found = made
        .filter((one) => one.reaches && (level === 'read' || one.level === 'write'))
        .map(({ id }) => id);
      const sql = `select distinct r from ${qualified(this.#schema, 'reach_shares')}(${literal(entity.id)}, ${literal(level)}) r order by 1`;
      add(
        'reach_shares',
        `what is shared to ${level}`,
        this.#after(actor, inserts.join(';'), sql),
        found.sort().join('\n'),
      );
    }
  }

  /** Something that is so before, whoever made it so. */
  #after({ session }: Actor, before: string, sql: string): string {
    const beneath = 'set local session_replication_role =';
    return `reset role; ${beneath} replica; ${before}; ${beneath} origin; set local role ${quote(session.role)}; ${sql}`;
  }

  #may({ person }: Actor, table: EntityTable, row: Row, actions: readonly string[]): boolean {
    return actions.every((action) => table.expectation.allows(person, action, table.entity.name, row));
  }

  /** One of each sort: by who owns it and what the person may do with it. */
  #ofEachSort(actor: Actor, table: EntityTable, rows: readonly Row[]): readonly Row[] {
    const { person } = actor;
    const each = ['read', 'update', 'delete', 'assign', 'merge', 'purge'];
    const sorts = Map.groupBy(rows, (row) =>
      [
        row.owner === person.userId,
        JSON.stringify(row.facts),
        person.members.includes(row.owner ?? ''),
        ...each.map((action) => this.#may(actor, table, row, [action])),
        ...this.#roles.map((role) =>
          table.expectation.allows({ ...person, roles: [role] }, 'read', table.entity.name, row),
        ),
      ].join(),
    );
    return [...sorts.values()].flatMap(([first]) => first ?? []);
  }
}

const NOBODY = '00000000-0000-7000-8000-000000000000';

const binned = ({ table }: { readonly table: string; readonly entity: Entity }, { id }: Row): string =>
  `update ${table} set deleted_at = now() where id = ${literal(id)}`;
