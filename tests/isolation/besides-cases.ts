/**
 * What a person may do in Postgres with the tables that stand beside those of the records: what was shared with whom,
 * and what was merged into what. Each case undoes what it did.
 */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { literal, qualified, quote } from '#engine/db/identifiers.ts';
import type { Entity, Model } from '#engine/model/model.ts';
import type { Expectation } from './expectation.ts';
import { type Actor, caseOf, type Part, type SqlCase, suspended } from './sql-run.ts';
import { type Row, subjectsOf } from './subjects.ts';

interface Shared {
  readonly id: string;
  readonly entity: Entity;
  readonly row: Row;
}

/** A share of every record that can be shared, long over, so that nobody sees more by it; and a merge into every record. */
export class BesidesCases {
  readonly #expectation: Expectation;
  readonly #shared: readonly Shared[];
  readonly #merged: readonly Shared[];
  readonly #schema: string;
  readonly #people: readonly string[];
  readonly #shares: string;
  readonly #merges: string;
  readonly #teams: string;

  static async open(
    superuser: pg.Client,
    model: Model,
    tenant: string,
    expectation: Expectation,
  ): Promise<BesidesCases> {
    const schema = `t_${tenant}`;
    const [shared, merged]: [Shared[], Shared[]] = [[], []];
    for (const entity of model.entities.values()) {
      if (entity.parent !== null || !entity.softDelete) continue;
      for (const row of await subjectsOf(superuser, model, entity, tenant, expectation)) {
        if (entity.sharing) shared.push({ id: randomUUID(), entity, row });
        merged.push({ id: randomUUID(), entity, row });
      }
    }
    for (const { id, entity, row } of shared)
      await superuser.query(
        `insert into ${qualified(schema, 'shares')} (id, entity, record, team, level, until)
         values ($1, $2, $3, (select id from ${qualified(schema, 'core_teams')} order by id limit 1), 'read', '2020-02-03')`,
        [id, entity.id, row.id],
      );
    for (const { id, entity, row } of merged)
      await superuser.query(
        `insert into ${qualified(schema, 'merges')} (record, entity, winner, at) values ($1, $2, $3, now())`,
        [id, entity.id, row.id],
      );
    // Of a record that is gone, and into one: nobody is told of them.
    await superuser.query(
      `insert into ${qualified(schema, 'merges')} (record, entity, winner, at) values (gen_random_uuid(), $1, gen_random_uuid(), now())`,
      [merged[0]?.entity.id],
    );
    await superuser.query(
      `insert into ${qualified(schema, 'shares')} (id, entity, record, team, level, until)
       values (gen_random_uuid(), $1, gen_random_uuid(), (select id from ${qualified(schema, 'core_teams')} order by id limit 1), 'read', '2020-02-03')`,
      [shared[0]?.entity.id],
    );
    const { rows } = await superuser.query<{ id: string }>(
      `select id from ${qualified(schema, 'core_users')} where active order by id limit 2`,
    );
    const people = rows.map(({ id }) => id);
    return new BesidesCases(schema, expectation, shared, merged, people);
  }

  private constructor(
    schema: string,
    expectation: Expectation,
    shared: readonly Shared[],
    merged: readonly Shared[],
    people: readonly string[],
  ) {
    this.#schema = schema;
    this.#people = people;
    this.#expectation = expectation;
    this.#shares = qualified(schema, 'shares');
    this.#merges = qualified(schema, 'merges');
    this.#teams = qualified(schema, 'core_teams');
    this.#shared = shared;
    this.#merged = merged;
  }

  merges(actor: Actor): readonly SqlCase[] {
    const sql = `select record from ${this.#merges} order by record`;
    const seen = this.#merged.filter(({ entity, row }) => this.#may(actor, 'read', entity, row));
    return [caseOf(actor, 'rows', null, 'what was merged', sql, listOf(seen))];
  }

  shares(actor: Actor): readonly SqlCase[] {
    const may = (one: Shared) => this.#may(actor, 'share', one.entity, one.row);
    const seen = this.#shared.filter(may);
    const cases = [
      caseOf(actor, 'rows', null, 'what is shared', `select id from ${this.#shares} order by id`, listOf(seen)),
    ];
    const add = (part: Part, column: string, title: string, sql: string, expected: string) =>
      cases.push(caseOf(actor, part, column, title, sql, expected));
    const all = `update ${this.#shares} set ended_at = now()`;
    add('update', 'ended_at', 'end all', all, seen.length === 0 ? 'nothing' : `UPDATE ${seen.length}`);
    for (const one of this.#ofEachSort(actor)) {
      const insert = (given: Readonly<Record<string, string>>) => this.#insert(one, given);
      for (const level of ['read', 'write']) {
        // Nobody gives more than they have.
        const has = level === 'read' || this.#may(actor, 'update', one.entity, one.row);
        const sql = `${insert({ level: literal(level) })}; select 'made'`;
        add('insert', 'level', `share to ${level}`, sql, may(one) && has ? 'made' : 'nothing');
      }
      const gone = `${insert({ record: 'gen_random_uuid()' })}; select 'made'`;
      add('insert', 'record', 'share what is gone', gone, 'nothing');
      const where = `where id = ${literal(one.id)}`;
      const end = `update ${this.#shares} set ended_at = '2020-02-03' ${where}`;
      add('update', 'ended_at', 'end a share', `${end} returning 'done'`, may(one) ? 'done' : 'nothing');
      for (const [column, value] of Object.entries(UNCHANGED)) {
        const sql = `update ${this.#shares} set ${quote(column)} = ${value} ${where} returning 'done'`;
        add('update', column, `change ${column}`, sql, 'nothing');
      }
      if (!may(one)) continue;
      const given = { ...GIVEN, team: `(select id from ${this.#teams} order by id offset 1 limit 1)` };
      for (const [column, value] of Object.entries(given))
        add('insert', column, `give ${column}`, `${insert({ [column]: value })}; select 'made'`, 'made');
      for (const [column, value] of Object.entries(KEPT))
        add('insert', column, `give ${column}`, `${insert({ [column]: value })}; select 'made'`, 'nothing');
      const to = insert({ user: literal(this.#somebody(actor)) });
      add('insert', 'user', 'share with somebody', `${to}; select 'made'`, 'made');
      const suspend = suspended(this.#schema, this.#somebody(actor), actor.session);
      add('insert', 'user', 'share with somebody who is suspended', `${suspend}; ${to}; select 'made'`, 'nothing');
      const me = literal(actor.person.userId);
      const kept = `created_at > now() - interval '1 hour', created_by = ${me}, ended_at is null, ended_by is null`;
      const told = `(select count(*) from armature.outbox o where o.record_id = ${literal(one.row.id)} and o.operation = 'share' and o.actor = ${me})`;
      const made = `${insert({ id: literal(one.row.id) })}; reset role; select ${kept}, ${told} from ${this.#shares} where id = ${literal(one.row.id)}`;
      add('trail', 'created_at', 'who shared it, and when; it is told', made, 'true true true true 1');
      const ended = `${end}; reset role; select ended_at > now() - interval '1 hour', ended_by = ${me} from ${this.#shares} ${where}`;
      add('trail', 'ended_at', 'who ended it, and when', ended, 'true true');
      const again = `${end}; update ${this.#shares} set ended_at = null ${where} returning 'done'`;
      add('trail', 'ended_at', 'what has ended stays so', again, 'nothing');
      const forged = `reset role; ${insert({ ended_at: 'now()', ended_by: me, id: literal(one.row.id) })}; select ended_at is null, ended_by is null from ${this.#shares} where id = ${literal(one.row.id)}`;
      add('trail', 'ended_at', 'a share begins open', forged, 'true true');
    }
    return cases;
  }

  /** Anybody else. */
  #somebody(actor: Actor): string {
    return this.#people.find((id) => id !== actor.person.userId) ?? '';
  }

  #insert({ entity, row }: Shared, given: Readonly<Record<string, string>>): string {
    const values: Record<string, string> = {
      id: 'gen_random_uuid()',
      entity: literal(entity.id),
      record: literal(row.id),
      level: literal('read'),
      ...('team' in given ? {} : { user: 'armature.user_id()' }),
      ...given,
    };
    return `insert into ${this.#shares} (${Object.keys(values).map(quote).join()}) values (${Object.values(values).join()})`;
  }

  #may({ person }: Actor, action: string, entity: Entity, row: Row): boolean {
    return this.#expectation.allows(person, action, entity.name, row);
  }

  #ofEachSort(actor: Actor): readonly Shared[] {
    const sorts = Map.groupBy(this.#shared, ({ entity, row }) =>
      [entity.key, this.#may(actor, 'share', entity, row), this.#may(actor, 'update', entity, row)].join(),
    );
    return [...sorts.values()].flatMap(([first]) => first ?? []);
  }
}

/** What may be said when sharing. */
const GIVEN: Readonly<Record<string, string>> = {
  reason: literal('why'),
  until: `now() + interval '1 day'`,
};
/** What only triggers write. */
const KEPT: Readonly<Record<string, string>> = {
  created_at: 'now()',
  created_by: 'armature.user_id()',
  ended_at: 'now()',
  ended_by: 'armature.user_id()',
};
const UNCHANGED: Readonly<Record<string, string>> = {
  level: literal('write'),
  until: 'null',
  user: 'armature.user_id()',
  record: 'gen_random_uuid()',
  ended_by: 'armature.user_id()',
};

const listOf = (shared: readonly Shared[]): string =>
  shared.length === 0
    ? 'nothing'
    : shared
        .map(({ id }) => id)
        .sort()
        .join('\n');
