/** One statement in Postgres as a person, and what came of it. */
import type pg from 'pg';
import type { Session } from '#engine/db/database.ts';
import { literal, quote } from '#engine/db/identifiers.ts';
import type { WorldPerson } from './world.ts';

export type Part = 'rows' | 'read' | 'update' | 'insert' | 'delete' | 'history' | 'trail' | 'call';

export interface SqlCase {
  readonly title: string;
  readonly part: Part;
  /** The columns it is about, if it is about some. */
  readonly columns: readonly string[];
  readonly person: Actor;
  readonly sql: string;
  /** What {@link CaseRunner.outcome} answers when all is as it should be. */
  readonly expected: string;
}

/** Makes a case of one person. */
export type Add = (
  part: Part,
  columns: string | readonly string[] | null,
  title: string,
  sql: string,
  expected: string,
) => unknown;

/** A case of one person; `about` is the column it is about, or those. */
export function caseOf(person: Actor, ...[part, about, title, sql, expected]: Parameters<Add>): SqlCase {
  return { part, columns: [about ?? []].flat(), title: `${person.person.name}: ${title}`, sql, expected, person };
}

/** Cases of one person, and what makes one more. */
export function collecting(person: Actor): { readonly cases: readonly SqlCase[]; readonly add: Add } {
  const cases: SqlCase[] = [];
  return { cases, add: (...given) => cases.push(caseOf(person, ...given)) };
}

/** A person and what Postgres is told of them. */
export interface Actor {
  readonly person: WorldPerson;
  readonly session: Session;
}

/** What a change that breaks a rule comes to: it was allowed as far as rights go. */
export const BROKEN_RULE = 'breaks a rule';

/** Somebody is suspended, and the person goes on. */
export function suspended(schema: string, user: string | null, { role }: Session): string {
  const users = `${quote(schema)}.core_users`;
  return `reset role; update ${users} set active = false where id = ${user === null ? 'null' : literal(user)}; set local role ${quote(role)}`;
}

/** What a change to a file that one has not uploaded comes to, where rights allow it. */
export const NOT_ONES_FILE = '23503: no such file';

/** Runs the cases of one person after the other; each undoes what the one before it did. */
export class CaseRunner {
  readonly #superuser: pg.Client;

  /** @param superuser in a transaction */
  constructor(superuser: pg.Client) {
    this.#superuser = superuser;
  }

  /** Becomes the person, for {@link CaseRunner.outcome}, until {@link CaseRunner.leave}. */
  async enter({ session }: Actor): Promise<void> {
    const settings: Readonly<Record<string, string>> = {
      user_id: session.userId ?? '',
      team: session.team ?? '',
      teams: `{${session.teams.join()}}`,
      roles: `{${session.roles.join()}}`,
      attributes: JSON.stringify(session.attributes),
      time_zone: session.timeZone,
      now: '',
    };
    const context = Object.entries(settings).map(
      ([key, value]) => `set_config(${literal(`armature.${key}`)}, ${literal(value)}, true)`,
    );
    await this.#superuser.query(
      `savepoint person; select ${context.join()}; set local role ${quote(session.role)}; savepoint one`,
    );
  }

  async leave(): Promise<void> {
    await this.#superuser.query('rollback to savepoint person; release savepoint person');
  }

  /** Rows as text; `nothing` when there are none, or when Postgres refuses. */
  async outcome({ sql, part }: SqlCase): Promise<string> {
    try {
      // What the last case did, or where it failed, is undone on the way to this one.
      const text = `rollback to savepoint one; ${sql}`;
      const results: unknown = await this.#superuser.query({ text, rowMode: 'array' });
      const last = Array.isArray(results) ? results.at(-1) : results;
      const rows: readonly (readonly unknown[])[] = last?.rows ?? [];
      if (last?.command !== 'SELECT' && rows.length === 0 && last?.rowCount > 0)
        return `${last.command} ${last.rowCount}`;
      return rows.length === 0 ? 'nothing' : rows.map((row) => row.map(String).join(' ')).join('\n');
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      // Refused: by a grant or a policy, by a guard, by a step that is none, or because somebody is suspended.
      if (error.code === '42501' || error.code === 'AR001' || error.code === 'AR002') return 'nothing';
      // Allowed, and kept by what refers to it: that is another rule's business.
      if (error.code === '23503' && (sql.startsWith('delete') || part === 'call')) return 'done';
      if (error.code === 'AR003') return BROKEN_RULE;
      return `${String(error.code)}: ${error.message}`;
    }
  }

  /** @returns the first case that comes to something else than it should, and to what; null when all is as it should be */
  async firstFailure(actor: Actor, cases: readonly SqlCase[]): Promise<string | null> {
    if (cases.length === 0) return null;
    await this.enter(actor);
    try {
      for (const one of cases) {
        const outcome = await this.outcome(one);
        if (outcome !== one.expected) return `${one.title}\n  ${one.sql}\n  expected ${one.expected}\n  but ${outcome}`;
      }
      return null;
    } finally {
      await this.leave();
    }
  }
}
