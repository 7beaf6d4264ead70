/**
 * Records by the names that values have for them, and the titles of records: what a conversion to or from a reference
 * asks. A batch of values is one question. A name is what an import would take for one, a title in any case and spacing,
 * and also the value of a field that no two records share; it must be one record's that is not in the bin.
 */
import type { ClientBase } from 'pg';
import { uuidOf } from '#engine/uuid.ts';
import { literal, qualified, quote } from '../../db/identifiers.ts';
import type { Entity, Field, Model } from '../../model/model.ts';
import { tableName } from '../ddl.ts';
import { comingNamesName } from '../names.ts';
import type { DesiredState, TableState } from '../state.ts';
import type { Converted } from './values.ts';

/** An entity as the model describes it whose titles are meant. */
export interface Target {
  readonly model: Model;
  readonly entity: Entity;
}

/** What was found of a batch. */
export interface Known {
  /** By name: the record's id, or why it is none. */
  readonly records: ReadonlyMap<string, Converted>;
  /** By id, of records that exist, those in the bin among them. One without a title has its id. */
  readonly titles: ReadonlyMap<string, string>;
}

export const NOTHING: Known = { records: new Map(), titles: new Map() };

/** Titles of titles: people read a reference in a title as a title. */
const DEPTH = 2;
/** Of a value in a sentence. */
const LONGEST = 80;

export class Names {
  readonly #client: ClientBase;
  readonly #state: DesiredState;
  readonly #target: Target;
  readonly #columnOf: (field: string) => string;
  readonly #table: TableState | undefined;
  /** Rows `name`, `id` of all records: a subquery. `null` for an entity that has no table yet: it has no records. */
  readonly #all: string | null;
  /** A table with what it was at some time. */
  #gathered: string | null = null;

  /**
   * @param state as the tables are now
   * @param columnOf id of the column with a field's values; another one than the field's while it changes its type
   */
  constructor(
    client: ClientBase,
    state: DesiredState,
    target: Target,
    columnOf: (field: string) => string = (field) => field,
  ) {
    this.#client = client;
    this.#state = state;
    this.#target = target;
    this.#columnOf = columnOf;
    this.#table = state.tables[target.entity.id];
    this.#all = this.#namesSql();
  }

  /**
   * Gathers all names once, for many batches.
   * @param column whose values are converted
   * @param temporary they go with the transaction; otherwise they stay for a publish, which drops them
   */
  async gather(column: string, temporary: boolean): Promise<void> {
    if (this.#all === null) return;
    const table = qualified(temporary ? 'pg_temp' : this.#state.schema, comingNamesName(column));
    await this.#client.query(`drop table if exists ${table}`);
    await this.#client.query(
      temporary
        ? `create temporary table ${quote(comingNamesName(column))} on commit drop as select * from ${this.#all} n`
        : `create unlogged table ${table} as select * from ${this.#all} n`,
    );
    await this.#client.query(`create index on ${table} (name); analyze ${table}`);
    this.#gathered = table;
  }

  /** Asks what was gathered before, if anything was. */
  async useGathered(column: string): Promise<void> {
    const table = qualified(this.#state.schema, comingNamesName(column));
    const { rows } = await this.#client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
      table,
    ]);
    this.#gathered = rows[0]?.there === true ? table : null;
  }

  /** @param texts names and ids, trimmed; @param ids of records, for their titles */
  async look(texts: readonly string[], ids: readonly string[]): Promise<Known> {
    const names = [...new Set(texts)];
    const byId = await this.#titles([...new Set([...ids, ...names.flatMap((text) => uuidOf(text) ?? [])])]);
    const records = new Map<string, Converted>();
    for (const text of names) {
      const found = byId.get(text.toLowerCase());
      records.set(text, found?.live === true ? { value: text.toLowerCase() } : this.#missing(text));
    }
    // What was gathered may lack who came since.
    for (const source of [this.#gathered, this.#all]) {
      const left = names.filter((text) => 'reason' in (records.get(text) ?? {}));
      if (source === null || this.#table === undefined || left.length === 0) continue;
      const { rows } = await this.#client.query<{ text: string; id: string; count: number }>(
        `select w.text, min(n.id::text) as id, count(distinct n.id)::int as count
         from unnest($1::text[]) w(text) join ${source} n on n.name = ${folded('w.text')}
           join ${tableName(this.#state, this.#table)} t on t.id = n.id and ${this.#live('t')} group by w.text`,
        [left],
      );
      for (const { text, id, count } of rows)
        records.set(text, count === 1 ? { value: id } : { reason: this.#ambiguous(text, count) });
    }
    return { records, titles: new Map([...byId].map(([id, { title }]) => [id, title ?? id])) };
  }

  async #titles(
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, { readonly title: string | null; readonly live: boolean }>> {
    const title = this.#titleSql('t', this.#target.entity, 1);
    if (ids.length === 0 || this.#table === undefined) return new Map();
    const { rows } = await this.#client.query<{ id: string; title: string | null; live: boolean }>(
      `select t.id::text as id, ${title ?? 'null::text'} as title, ${this.#live('t')} as live from ${tableName(this.#state, this.#table)} t where t.id = any($1::uuid[])`,
      [ids],
    );
    return new Map(rows.map(({ id, ...row }) => [id, row]));
  }

  #namesSql(): string | null {
    const { entity } = this.#target;
    if (this.#table === undefined) return null;
    const title = this.#titleSql('t', entity, 1);
    const keys = entity.unique.flatMap(({ fields: [key, ...more] }) => {
      const field = more.length === 0 && key !== undefined ? entity.fields.get(key) : undefined;
      return field && isName(field) ? (this.#columnSql('t', entity, field) ?? []) : [];
    });
    const from = `from ${tableName(this.#state, this.#table)} t where ${this.#live('t')}`;
    const ways = [...(title === null ? [] : [title]), ...keys.map((column) => `${column}::text`)];
    if (ways.length === 0) return null;
    return `(${ways.map((way) => `select ${folded(way)} as name, t.id ${from}`).join(' union all ')})`;
  }

  #live(alias: string): string {
    const { entity } = this.#target;
    const deleted = entity.softDelete ? entity.fields.get('deleted_at') : undefined;
    const column = deleted && this.#columnSql(alias, entity, deleted);
    return column == null ? 'true' : `${column} is null`;
  }

  /** As reads write it. `null` when a column of it is not there: half a title is another one. */
  #titleSql(alias: string, entity: Entity, depth: number): string | null {
    const parts = entity.title.template.split(/\{([a-z][a-z0-9_]*)\}/).map((part, index) => {
      if (index % 2 === 0) return literal(part);
      const field = entity.fields.get(part);
      const column = field && this.#columnSql(alias, entity, field);
      if (!field || column == null) return null;
      if (!field.reference) return `(${field.type.select(column, field)})::text`;
      return depth < DEPTH ? this.#titleOf(field.reference.entity, column, depth) : 'null::text';
    });
    return parts.includes(null) ? null : `nullif(btrim(concat(${parts.join(', ')})), '')`;
  }

  #titleOf(name: string, id: string, depth: number): string | null {
    const entity = this.#target.model.entities.get(name);
    const table = entity && this.#state.tables[entity.id];
    if (!table) return null;
    const title = this.#titleSql('o', entity, depth + 1);
    return title === null
      ? null
      : `(select ${title} from ${tableName(this.#state, table)} o where o.${quote('id')} = ${id})`;
  }

  #columnSql(alias: string, entity: Entity, field: Field): string | null {
    const column = this.#state.tables[entity.id]?.columns[this.#columnOf(field.id)];
    return column === undefined ? null : `${alias}.${quote(column.name)}`;
  }

  #missing(text: string): Converted {
    return { reason: `There is no ${this.#target.entity.label} “${text.slice(0, LONGEST)}”.` };
  }

  #ambiguous(text: string, count: number): string {
    return `“${text.slice(0, LONGEST)}” names ${count.toLocaleString('en')} records of ${this.#target.entity.label}.`;
  }
}

/** Fields whose values people write as they are. */
const isName = ({ column, type }: Field): boolean =>
  column !== null && type.sealed !== true && (type.valueType === 'text' || type.valueType === 'integer');

/** In any case, with spaces as they come. */
const folded = (sql: string): string =>
  `lower(btrim(regexp_replace(${sql}, '\\s+', ' ', 'g')) collate pg_catalog.pg_unicode_fast)`;
