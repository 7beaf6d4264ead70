/**
 * The one read path. Every answer is one statement (two, when records are counted) in one round trip, and the JSON that
 * Postgres made goes out as it came.
 */
import type { Clock } from '../../clock.ts';
import { sessionOf } from '../../db/database.ts';
import type { Sender } from '../../db/sender.ts';
import { problemOf } from '../../db/database-error.ts';
import type { Statement, StatementResult } from '../../db/execute.ts';
import type { Entity } from '../../model/model.ts';
import { notFound } from '../../problem.ts';
import { parseLiteral } from '../../condition/literals.ts';
import type { Query, Selection } from '../query/query.ts';
import type { Scope } from '../scope.ts';
import { opened } from '../sealed.ts';
import type { Value } from '../../model/value-type.ts';
import { findKey } from './keys.ts';
import { keyedStatement } from './matching.ts';
import { oneStatement } from './one-statement.ts';
import { History } from './history.ts';
import { Cursors } from './cursor.ts';
import { Lists } from './lists.ts';

export interface ReaderServices {
  readonly database: Sender;
  /** The installation's secret: cursors are signed with a key derived from it. */
  readonly secret: string;
  readonly clock: Clock;
}

/** What the database is asked, and what is made of its answer. */
interface Question<T> {
  readonly statements: readonly Statement[];
  readonly read: (results: readonly StatementResult[]) => T;
}

export class Reader {
  readonly #services: ReaderServices;
  readonly #database: Sender;
  readonly #lists: Lists;

  /** @param lists of another reader of the same installation, with what it has prepared */
  constructor(services: ReaderServices, lists = new Lists(new Cursors(services.secret), services.clock)) {
    this.#services = services;
    this.#database = services.database;
    this.#lists = lists;
  }

  /** The same reader inside a transaction of the caller's: it sees what was written there. */
  within(sender: Sender): Reader {
    return new Reader({ ...this.#services, database: sender }, this.#lists);
  }

  /**
   * A page of records, or groups when the query has any.
   * @returns the finished JSON text `{"data":[…],"page":{"next":…,"prev":…},"count":{"value":…,"mode":"exact"|"atLeast"}|null}`
   * @throws Problem `not_found` when the entity may not be read, `unknown_field`, `unknown_operator`,
   *   `invalid_parameter`, `invalid_cursor`, and whatever the database cannot do (`timeout`, `unavailable`)
   */
  list(scope: Scope, entity: Entity, query: Query): Promise<{ body: string }> {
    return this.#ask(scope, () => {
      const page = this.#lists.prepare(scope, entity, query);
      return { statements: page.statements, read: (results) => ({ body: opened(scope, page.body(results)) }) };
    });
  }

  /**
   * @param id as the client wrote it
   * @param selection `null`: every readable field
   * @returns `{"data":{…}}`, or `null` when there is no such record or it may not be seen
   * @throws Problem as {@link Reader.list}
   */
  one(
    scope: Scope,
    entity: Entity,
    id: string,
    selection: Selection | null,
  ): Promise<{ body: string; version: number } | null> {
    if (parseLiteral(id, 'uuid') === undefined) return Promise.resolve(null);
    return this.#ask(scope, () => ({
      statements: [oneStatement(scope, entity, selection, id)],
      read: ([result]) => {
        const [data, version] = result?.rows[0] ?? [];
        if (typeof data !== 'string' || typeof version !== 'string') return null;
        return { body: opened(scope, `{"data":${data}}`), version: Number(version) };
      },
    }));
  }

  /**
   * The record that has this value in a field of its own kind (a unique key of one field).
   * @param value as it stands in the record
   * @returns its id, `null` when there is none, or none that may be seen, or the field is no such key
   */
  async find(scope: Scope, entity: Entity, key: string, value: Value): Promise<string | null> {
    const found = findKey(scope, entity, [key]);
    const type = found?.fields[0]?.type.valueType;
    const stored = type == null ? undefined : parseLiteral(value, type, true);
    if (!found || stored === undefined) return null;
    return this.#ask(scope, () => ({
      statements: [keyedStatement(scope, entity, found.fields, [[stored]])],
      read: ([result]) => result?.rows[0]?.[1] ?? null,
    }));
  }

  /**
   * What happened to a record, newest first, whole versions up to about 200 changes; only fields the principal may read.
   * @returns `{"data":[{"at","version","actor":{"id","name"}|null,"changes":[{"field","label","old","new"}]}]}`
   * @throws Problem `not_found` when the record may not be seen or its entity keeps no history
   */
  async history(scope: Scope, entity: Entity, id: string): Promise<{ body: string }> {
    if (parseLiteral(id, 'uuid') === undefined) throw notFound();
    return this.#ask(scope, () => {
      const history = new History(scope, entity, id);
      return { statements: [history.statement], read: (results) => ({ body: history.body(results) }) };
    });
  }

  async #ask<T>(scope: Scope, prepare: () => Question<T>): Promise<T> {
    const { statements, read } = prepare();
    let results: readonly StatementResult[];
    try {
      results = await this.#database.batch(sessionOf(scope.principal), statements);
    } catch (error) {
      throw problemOf(error);
    }
    return read(results);
  }
}
