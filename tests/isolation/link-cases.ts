/**
 * What a person may do in Postgres with the tables of links: which links they see, make and undo. Both ends decide, from
 * either side on which a field shows them.
 */
import type pg from 'pg';
import { literal, qualified, quote } from '#engine/db/identifiers.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Many } from '#engine/model/relations.ts';
import type { Person, Subject } from './expectation.ts';
import { type Actor, type Add, collecting, type SqlCase } from './sql-run.ts';
import type { EntityTable } from './sql-table.ts';
import type { Row } from './subjects.ts';

type Links = Extract<Many, { via: 'links' }>;

/** A field that shows links, and the records at its two ends. */
interface Side {
  readonly field: Field;
  readonly many: Links;
  readonly here: EntityTable;
  readonly there: EntityTable;
}

interface Link {
  readonly near: string;
  readonly far: string;
}

export class LinkCases {
  readonly #sides: readonly Side[];
  readonly #links: readonly Link[];
  readonly #at: string;
  /** Not quoted. */
  readonly table: string;

  /** One for each table of links. */
  static async openAll(
    superuser: pg.Client,
    tables: ReadonlyMap<string, EntityTable>,
    tenant: string,
  ): Promise<readonly LinkCases[]> {
    const sides = [...tables.values()].flatMap((here) =>
      [...here.entity.fields.values()].flatMap((field): readonly Side[] => {
        const there = field.many?.via === 'links' ? tables.get(field.many.entity) : undefined;
        return field.many?.via === 'links' && there ? [{ field, many: field.many, here, there }] : [];
      }),
    );
    const opened: LinkCases[] = [];
    for (const [table, of] of Map.groupBy(sides, ({ many }) => many.table)) {
      const at = qualified(`t_${tenant}`, table);
      const { rows } = await superuser.query<Link>(`select near, far from ${at} order by near, far`);
      opened.push(new LinkCases(table, at, of, rows));
    }
    return opened;
  }

  private constructor(table: string, at: string, sides: readonly Side[], links: readonly Link[]) {
    this.table = table;
    this.#at = at;
    this.#sides = sides;
    this.#links = links;
  }

  of(person: Actor): readonly SqlCase[] {
    const { cases, add } = collecting(person);
    const seen = this.#links.filter((link) => this.#may(person, 'read', link));
    const all = seen.map(({ near, far }) => `${near} ${far}`).join('\n');
    const sql = `select near, far from ${this.#at} order by near, far`;
    add('rows', ['near', 'far'], 'which links', sql, all === '' ? 'nothing' : all);
    const undone = this.#links.filter((link) => this.#may(person, 'update', link)).length;
    const everything = undone === 0 ? 'nothing' : `DELETE ${undone}`;
    add('delete', null, 'undo all links', `delete from ${this.#at}`, everything);
    for (const link of this.#ofEachSort(person, this.#links)) {
      const may = this.#may(person, 'read', link) && this.#may(person, 'update', link);
      const where = `where near = ${literal(link.near)} and far = ${literal(link.far)}`;
      const undo = `delete from ${this.#at} ${where}`;
      add('delete', null, 'undo a link', `${undo} returning 'done'`, may ? 'done' : 'nothing');
      add('update', 'far', 'move a link', `update ${this.#at} set far = far ${where} returning 'done'`, 'nothing');
      if (may) this.#trail(person, link, undo, 'old', add);
    }
    for (const link of this.#ofEachSort(person, this.#missing())) {
      const may = this.#may(person, 'update', link);
      const make = this.#insert(link, {});
      add('insert', ['near', 'far'], 'make a link', `${make}; select 'made'`, may ? 'made' : 'nothing');
      for (const [column, value] of Object.entries(KEPT)) {
        const forged = this.#insert(link, { [column]: value });
        add('insert', column, `give ${column}`, `${forged}; select 'made'`, 'nothing');
      }
      if (may) this.#trail(person, link, make, 'new', add);
    }
    return cases;
  }

  /**
   * Whether there is somebody who sees a link by this role alone.
   * @param people every combination of roles
   * @param subjects what decides over the records of an entity, one of each sort
   */
  isNeeded(role: string, people: readonly Person[], subjects: (entity: Entity) => readonly Subject[]): boolean {
    const [one] = this.#sides;
    if (!one) return false;
    const [nears, fars] = [subjects(one.here.entity), subjects(one.there.entity)];
    const shows = (person: Person, by: readonly string[], near: Subject, far: Subject) => {
      const ends = new Map([
        [one.here, near],
        [one.there, far],
      ]);
      const sees = (table: EntityTable) => {
        const subject = ends.get(table);
        return subject !== undefined && table.expectation.allows(person, 'read', table.entity.name, subject);
      };
      if (!sees(one.here) || !sees(one.there)) return false;
      return this.#sides.some(({ field, here }) => {
        const subject = ends.get(here);
        return by.some(
          (key) =>
            subject !== undefined &&
            here.expectation.allows({ ...person, roles: [key] }, 'read', here.entity.name, subject, field.key),
        );
      });
    };
    return people
      .filter(({ roles }) => roles.includes(role))
      .some((person) => {
        const others = person.roles.filter((key) => key !== role);
        return nears.some((near) =>
          fars.some((far) => shows(person, person.roles, near, far) && !shows(person, others, near, far)),
        );
      });
  }

  /** The history of each record with a field that shows the link tells of it. */
  #trail({ person }: Actor, link: Link, sql: string, where: 'old' | 'new', add: Add): void {
    for (const { field, many, here } of this.#sides.filter((side) => side.here.entity.history)) {
      const history = here.table.replace(quote(here.entity.table), quote(`h_${here.entity.table}`));
      const told = `select count(*) from ${history} where record_id = ${literal(link[many.near])} and field_id = ${literal(field.id)}
        and ${where} #>> '{}' = ${literal(link[many.far])} and actor = ${literal(person.userId)}`;
      add('trail', null, `what is left behind (${where})`, `reset role; ${sql}; ${told}`, '1');
    }
  }

  #insert({ near, far }: Link, given: Readonly<Record<string, string>>): string {
    const values = { near: literal(near), far: literal(far), ...given };
    return `insert into ${this.#at} (${Object.keys(values).join()}) values (${Object.values(values).join()})`;
  }

  /** From one of the sides: the field on the one record, by that record's rights, and the other record. */
  #may({ person }: Actor, action: 'read' | 'update', link: Link): boolean {
    return this.#sides.some(({ field, many, here, there }) => {
      const row = here.rows.find(({ id }) => id === link[many.near]);
      if (row === undefined || !here.may(person, action, row, field)) return false;
      return here.shows(person, row.id) && there.shows(person, link[many.far]);
    });
  }

  /** Pairs of records that are not linked. */
  #missing(): readonly Link[] {
    const [side] = this.#sides;
    if (!side) return [];
    const idsOf = (rows: readonly Row[]) => rows.map(({ id }) => id);
    const [here, there] = [idsOf(side.here.rows), idsOf(side.there.rows)];
    const [nears, fars] = side.many.near === 'near' ? [here, there] : [there, here];
    return nears
      .flatMap((near) => fars.map((far) => ({ near, far })))
      .filter((one) => !this.#links.some(({ near, far }) => near === one.near && far === one.far));
  }

  /** By what the person may do with each end of it. */
  #ofEachSort(actor: Actor, links: readonly Link[]): readonly Link[] {
    const sorts = Map.groupBy(links, (link) =>
      this.#sides
        .flatMap(({ field, many, here }) => {
          const row = here.rows.find(({ id }) => id === link[many.near]);
          if (row === undefined) return [];
          const may = (action: string) => here.may(actor.person, action, row, field);
          return [may('read'), may('update'), here.shows(actor.person, row.id), row.owner === actor.person.userId];
        })
        .join(),
    );
    return [...sorts.values()].flatMap(([first]) => first ?? []);
  }
}

/** What nobody gives. */
const KEPT: Readonly<Record<string, string>> = {
  created_at: 'now()',
  created_by: 'armature.user_id()',
};
