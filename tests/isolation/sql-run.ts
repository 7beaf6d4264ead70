/** One statement in Postgres as a person, and what came of it. */
import type pg from 'pg';
import type { Session } from '#engine/db/database.ts';
import { literal, quote } from '#engine/db/identifiers.ts';
import type { WorldPerson } from './world.ts';

export type Part = 'rows' | 'read' | 'update' | 'insert' | 'delete' | 'history' | 'trail';

export interface SqlCase {
  readonly title: string;
  readonly part: Part;
  /** The columns it is about, if it is about some. */
  readonly columns: readonly string[];
  readonly person: Actor;
  readonly sql: string;
  /** What {@link runCase} answers when all is as it should be. */
  readonly expected: string;
}

/** A person and what Postgres is told of them. */
export interface Actor {
  readonly person: WorldPerson;
  readonly session: Session;
}

/** What a change that breaks a rule comes to: it was allowed as far as rights go. */
export const BROKEN_RULE = 'breaks a rule';

/** Rows as text; `nothing` when there are none, or when Postgres refuses. */
export async function runCase(superuser: pg.Client, { person: { session }, sql }: SqlCase): Promise<string> {
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
    ([key, value]) => `select set_config(${literal(`armature.${key}`)}, ${literal(value)}, true)`,
  );
  const all = ['savepoint one', ...context, `set local role ${quote(session.role)}`, sql].join(';');
  try {
    const results: unknown = await superuser.query({ text: all, rowMode: 'array' });
    const last = Array.isArray(results) ? results.at(-1) : results;
    const rows: readonly (readonly unknown[])[] = last?.rows ?? [];
    if (last?.command !== 'SELECT' && rows.length === 0 && last?.rowCount > 0)
      return `${last.command} ${last.rowCount}`;
    return rows.length === 0 ? 'nothing' : rows.map((row) => row.map(String).join(' ')).join('\n');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    // Refused: by a grant or a policy, by a guard, or by a step that is none.
    // Allowed, and kept by what refers to it: that is another rule's business.
    if (error.code === '23503' && sql.startsWith('delete')) return 'done';
    if (error.code === '42501' || error.code === 'AR001') return 'nothing';
    if (error.code === 'AR003') return BROKEN_RULE;
    return `${String(error.code)}: ${error.message}`;
  } finally {
    await superuser.query('rollback to savepoint one');
  }
}
