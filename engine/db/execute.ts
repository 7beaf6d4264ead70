/**
 * One round trip: a batch of statements between two Syncs of the extended protocol is one implicit transaction, so the
 * principal's context set by its first statement (`set_config(…, true)`) holds for the rest and is gone after it.
 *
 * - Every statement is prepared under a name made of its text and the database role: a cached plan that depends on row
 *   security is valid for one role only, and sharing a name between roles would plan anew each time.
 * - A plan whose result would have another type now (DDL changed a column's) is refused by Postgres as long as its name
 *   lives: after such a refusal the connection's statements are closed with the next batch, and may be sent again.
 * - Values go out and come back as text; nothing is parsed here. JSON built by Postgres passes through untouched.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Connection, PoolClient, Submittable } from 'pg';

/** A statement with its parameters in Postgres's text form. `unprepared` statements (transaction control, one-off DDL) get no name. */
export interface Statement {
  readonly text: string;
  readonly values: readonly (string | null)[];
  readonly unprepared?: boolean;
  /** It touches no table, so one plan serves all roles: with many organisations each would else push out another's. */
  readonly anyRole?: boolean;
  /** Nobody asks what it came to: it has no result. */
  readonly silent?: boolean;
}

export interface StatementResult {
  /** Columns as text, in the order of the select list. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** Rows affected, from the command tag. */
  readonly count: number;
  /** The command tag, e.g. `UPDATE 1`, `COMMIT`, `ROLLBACK`. */
  readonly tag: string;
  /** What the engine's own triggers gave notice of while it ran (SQLSTATE `AR…`): their messages. */
  readonly notices?: readonly string[];
}

/**
 * Characters of the named statements that a connection keeps. A statement's plan takes the backend 80 to 120 bytes for
 * each (a record 48 KiB, a page with what is shared 164 KiB), so a connection that has served very many organisations
 * holds some 50 MB of plans, and one of seven hundred organisations that list their records still finds all of them.
 */
const KEPT_TEXT = 500_000;

/**
 * Statements planned on a connection before it is replaced. A backend keeps about 50 kB for every table it has touched
 * and gives none of it back: what it has met grows with what it was asked for the first time, and not with its use.
 */
const MET = 5000;

interface Registry {
  /** Names the server knows, least recently used first, with the length of their texts. */
  readonly known: Map<string, number>;
  /** Of all names in `known`. */
  length: number;
  /** They were planned before a column's type changed: all are to be closed. */
  stale: boolean;
  active: Batch | null;
}

const registries = new WeakMap<Connection, Registry>();
const met = new WeakMap<PoolClient, number>();

/** Whether the connection has met so much that a new one should take its place. */
export function hasMetMuch(client: PoolClient): boolean {
  return (met.get(client) ?? 0) >= MET;
}

function registryOf(connection: Connection): Registry {
  let registry = registries.get(connection);
  if (!registry) {
    const created: Registry = { known: new Map(), length: 0, stale: false, active: null };
    connection.on('parseComplete', () => created.active?.parsed(created));
    connection.on('notice', (notice: { code?: string; message?: string }) => created.active?.noticed(notice));
    registries.set(connection, created);
    registry = created;
  }
  return registry;
}

const hashes = new Map<string, string>();

function hash(text: string): string {
  let known = hashes.get(text);
  if (known === undefined) {
    if (hashes.size > 20_000) hashes.clear();
    known = createHash('sha256').update(text).digest('base64url').slice(0, 16);
    hashes.set(text, known);
  }
  return known;
}

function statementName(text: string, role: string): string {
  return `${hash(text)}_${hash(role)}`;
}

/** Whether Postgres refused a prepared statement because a column it gives has another type now. */
function isStalePlan(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '0A000' && error.routine === 'RevalidateCachedQuery';
}

/**
 * Whether Postgres refused to act as a role. A backend keeps the list of the roles it may act as, and one that was
 * granted while the list was being made (`roles_is_member_of` in acl.c) is missing until the next grant of any role.
 */
function isRoleRefused(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '42501' && error.routine === 'call_string_check_hook';
}

/** The backend keeps one list: asked for the roles of another, it has to make that of its own anew. */
const FORGET_ROLES: Statement = {
  text: `select pg_catalog.pg_has_role('pg_monitor'::name, 'pg_signal_backend'::name, 'SET')`,
  values: [],
  anyRole: true,
  silent: true,
};

/**
 * What goes before statements that are sent once more because the connection was behind the database: nothing of them
 * was kept, and their refusal says nothing of them. `null` when they would be refused again.
 */
export function remedyFor(error: unknown): readonly Statement[] | null {
  if (isStalePlan(error)) return [];
  return isRoleRefused(error) ? [FORGET_ROLES] : null;
}

/** Told once: what went wrong, or one result per statement that is not silent, in order. */
type Settle = (error: Error | null, results: StatementResult[]) => void;

class Batch implements Submittable {
  readonly #statements: readonly Statement[];
  readonly #role: string;
  readonly #results: { rows: (string | null)[][]; count: number; tag: string; notices?: readonly string[] }[] = [];
  #notices: string[] | null = null;
  /** Named statements that Postgres met with this batch. */
  planned = 0;
  readonly #parsing: { readonly name: string; readonly length: number }[] = [];
  #rows: (string | null)[][] = [];
  /** Statements that were answered. */
  #answered = 0;
  #registry: Registry | null = null;
  readonly #settle: Settle;
  #settled = false;

  constructor(role: string, statements: readonly Statement[], settle: Settle) {
    this.#role = role;
    this.#statements = statements;
    this.#settle = settle;
  }

  submit(connection: Connection): void {
    const registry = registryOf(connection);
    registry.active = this;
    this.#registry = registry;
    const kept = registry.stale ? 0 : KEPT_TEXT;
    registry.stale = false;
    connection.stream.cork();
    try {
      // Closes come first: after an error the server skips everything up to the Sync, and a skipped Close would
      // leave a name taken that we believe free.
      for (const [oldest, length] of registry.known) {
        if (registry.length <= kept) break;
        registry.known.delete(oldest);
        registry.length -= length;
        connection.close({ type: 'S', name: oldest }, true);
      }
      for (const statement of this.#statements) {
        const name = statement.unprepared ? '' : statementName(statement.text, statement.anyRole ? '' : this.#role);
        if (name === '' || !registry.known.has(name)) {
          if (name === '' || !this.#parsing.some((parsing) => parsing.name === name)) {
            this.#parsing.push({ name, length: statement.text.length });
            connection.parse({ name, text: statement.text, types: [] }, true);
          }
        } else {
          registry.known.delete(name);
          registry.known.set(name, statement.text.length);
        }
        connection.bind({ portal: '', statement: name, values: [...statement.values] }, true);
        connection.execute(null, true);
      }
      connection.sync();
    } catch (error) {
      // Half a batch must not stand before somebody else's: nothing of it has left yet, and now nothing will.
      connection.stream.destroy(error instanceof Error ? error : new Error('a batch could not be written'));
    } finally {
      connection.stream.uncork();
    }
  }

  parsed(registry: Registry): void {
    const parsed = this.#parsing.shift();
    if (!parsed?.name) return;
    this.planned += 1;
    registry.known.set(parsed.name, parsed.length);
    registry.length += parsed.length;
  }

  noticed({ code, message }: { readonly code?: string; readonly message?: string }): void {
    if (code?.startsWith('AR') && message !== undefined) (this.#notices ??= []).push(message);
  }

  handleRowDescription(): void {}

  handleDataRow(message: { fields: (string | null)[] }): void {
    this.#rows.push(message.fields);
  }

  handleCommandComplete(message: { text: string }): void {
    const statement = this.#statements[this.#answered];
    this.#answered += 1;
    if (statement?.silent) {
      this.#rows = [];
      return;
    }
    const tag = message.text;
    const space = tag.lastIndexOf(' ');
    const count = space < 0 ? 0 : Number(tag.slice(space + 1));
    const notices = this.#notices ? { notices: this.#notices } : null;
    this.#notices = null;
    this.#results.push({ rows: this.#rows, count: Number.isNaN(count) ? 0 : count, tag, ...notices });
    this.#rows = [];
  }

  handleEmptyQuery(): void {
    this.#answered += 1;
  }

  handlePortalSuspended(): void {}

  handleCopyInResponse(connection: { sendCopyFail(reason: string): void }): void {
    connection.sendCopyFail('COPY is not part of a batch');
  }

  handleCopyData(): void {}

  handleError(error: Error): void {
    if (this.#registry && isStalePlan(error)) this.#registry.stale = true;
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(error, []);
  }

  /** Only now is the work committed: deferred constraints and serialization failures answer at the Sync. */
  handleReadyForQuery(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(null, this.#results);
  }
}

/**
 * Sends statements as one batch on a connection.
 * @param role the database role the statements run as; part of the prepared statements' names
 * @param again whether they may be sent once more, on the same connection, when it was behind the database: outside of
 *   an explicit transaction block, where nothing was kept
 * @param settle called once all are answered, or with pg's DatabaseError of the first statement that failed; nothing of
 *   the batch is kept then (unless the connection is inside an explicit transaction block, which is then aborted)
 */
export function submitBatch(
  client: PoolClient,
  role: string,
  statements: readonly Statement[],
  again: boolean,
  settle: Settle,
): void {
  const batch = new Batch(role, statements, (error, results) => {
    if (batch.planned > 0) met.set(client, (met.get(client) ?? 0) + batch.planned);
    const remedy = error && again ? remedyFor(error) : null;
    if (remedy) submitBatch(client, role, [...remedy, ...statements], false, settle);
    else settle(error, results);
  });
  client.query(batch);
}

/**
 * {@link submitBatch}, waited for.
 * @returns one result per statement that is not silent, in order
 * @throws as it settles
 */
export function sendBatch(
  client: PoolClient,
  role: string,
  statements: readonly Statement[],
): Promise<StatementResult[]> {
  return new Promise((resolve, reject) => {
    submitBatch(client, role, statements, false, (error, results) => (error ? reject(error) : resolve(results)));
  });
}
