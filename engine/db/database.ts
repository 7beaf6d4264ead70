/**
 * The database as the engine sees it: statements run as a database role with a principal's context, in one round trip
 * ({@link Database.batch}) or in a transaction with decisions between its statements ({@link Database.transaction}).
 * The owner's connections serve migrations and publishing alone.
 */
import type { Readable } from 'node:stream';
import type { Pool, PoolClient } from 'pg';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { Principal } from '../identity/principal.ts';
import { Problem } from '../problem.ts';
import type { Address, Credentials } from './connection.ts';
import { borrow, giveBack, openPool, rollback, withClient } from './connection.ts';
import { copyOut } from './copy.ts';
import type { Statement, StatementResult } from './execute.ts';
import { remedyFor, sendBatch, submitBatch } from './execute.ts';
import { arrayText } from './identifiers.ts';

/** A database role and the settings that policies and triggers read. */
export interface Session {
  readonly role: string;
  readonly userId: string | null;
  readonly team: string | null;
  readonly teams: readonly string[];
  readonly roles: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeZone: string;
}

/** The session of a role that is no person: the gate, or a tenant's service principals. */
export function bareSession(role: string): Session {
  return { role, userId: null, team: null, teams: [], roles: [], attributes: {}, timeZone: 'UTC' };
}

const sessions = new WeakMap<Principal, Session>();

/** The session of a principal: the same one each time, so that what is made of it is made once. */
export function sessionOf(principal: Principal): Session {
  const known = sessions.get(principal);
  if (known) return known;
  const session: Session = {
    role: principal.dbRole,
    userId: principal.userId,
    team: principal.team,
    teams: principal.teams,
    roles: principal.roles,
    attributes: principal.attributes,
    timeZone: principal.timeZone,
  };
  sessions.set(principal, session);
  return session;
}

/** Role last: once it is set, nothing more may be set (`set_config` is revoked from everybody but the login roles). */
const CONTEXT = `select set_config('armature.user_id',$1,true), set_config('armature.team',$2,true),
 set_config('armature.teams',$3,true), set_config('armature.roles',$4,true), set_config('armature.attributes',$5,true),
 set_config('armature.time_zone',$6,true), set_config('armature.now',$7,true), set_config('role',$8,true)`;

const BEGIN: Statement = { text: 'begin', values: [], unprepared: true, silent: true };

/** @param now an ISO moment where a test's clock says what time it is; else empty */
function contextOf(session: Session, now: string): Statement {
  return {
    text: CONTEXT,
    anyRole: true,
    silent: true,
    values: [
      session.userId ?? '',
      session.team ?? '',
      arrayText(session.teams),
      arrayText(session.roles),
      JSON.stringify(session.attributes),
      session.timeZone,
      now,
      session.role,
    ],
  };
}

export interface Transaction {
  /** Sends statements in one round trip and waits. An error aborts the whole transaction. */
  readonly send: (...statements: readonly Statement[]) => Promise<StatementResult[]>;
}

export interface DatabaseOptions {
  readonly address: Address;
  readonly app: Credentials;
  readonly owner: Credentials;
  /** Connections for requests (default 10). */
  readonly connections?: number;
  readonly clock?: Clock;
}

/** Connections for exports, and milliseconds one may take: it lasts as long as somebody reads. */
const EXPORTS = { connections: 4, timeout: 30 * 60_000 } as const;

export class Database {
  readonly address: Address;
  readonly credentials: { readonly app: Credentials; readonly owner: Credentials };
  readonly #app: Pool;
  readonly #owner: Pool;
  readonly #exports: Pool;
  readonly #clock: Clock;
  readonly #contexts = new WeakMap<Session, Statement>();

  constructor(options: DatabaseOptions) {
    this.address = options.address;
    this.credentials = { app: options.app, owner: options.owner };
    this.#clock = options.clock ?? systemClock;
    this.#app = openPool(options.address, options.app, {
      max: options.connections ?? 10,
      application_name: 'armature',
    });
    // A slow reader holds its connection for long: it must not be one that requests wait for.
    this.#exports = openPool(options.address, options.app, {
      max: EXPORTS.connections,
      idleTimeoutMillis: 10_000,
      application_name: 'armature exports',
      options: `-c statement_timeout=${EXPORTS.timeout} -c search_path=pg_catalog -c timezone=UTC -c jit=off`,
    });
    this.#owner = openPool(options.address, options.owner, {
      // Publishes and short questions beside steps of publishes, which may hold theirs for long.
      max: 6,
      application_name: 'armature owner',
      options: '-c timezone=UTC',
    });
  }

  #context(session: Session): Statement {
    if (this.#clock !== systemClock) return contextOf(session, new Date(this.#clock.now()).toISOString());
    let context = this.#contexts.get(session);
    if (!context) this.#contexts.set(session, (context = contextOf(session, '')));
    return context;
  }

  /**
   * Context and statements in one round trip, as one transaction.
   * @returns one result per statement, in order
   * @throws pg's DatabaseError (see `db/database-error.ts`); nothing is kept then
   */
  batch(session: Session, statements: readonly Statement[]): Promise<StatementResult[]> {
    const all = [this.#context(session), ...statements];
    // Every request comes through here: one promise, and the connection is free before anybody hears of the answer.
    return new Promise((resolve, reject) => {
      borrow(this.#app, (none, client) => {
        if (!client) return reject(none);
        submitBatch(client, session.role, all, true, (error, results) => {
          giveBack(client, error);
          if (error) reject(error);
          else resolve(results);
        });
      });
    });
  }

  /**
   * A transaction with decisions between its statements: what `work` throws rolls everything back.
   * @throws Problem `unavailable` when the server answered the COMMIT with a ROLLBACK
   */
  async transaction<T>(session: Session, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return withClient(this.#app, async (client) => {
      let opened = false;
      const transaction: Transaction = {
        send: async (...statements) => {
          if (opened) return sendBatch(client, session.role, statements);
          opened = true;
          const all = [BEGIN, this.#context(session), ...statements];
          return sendBatch(client, session.role, all).catch(async (error: unknown) => {
            const remedy = remedyFor(error);
            if (!remedy) throw error;
            await rollback(client);
            return sendBatch(client, session.role, [...remedy, ...all]);
          });
        },
      };
      return finish(client, session.role, transaction, work, () => opened);
    });
  }

  /**
   * Reads very many rows without keeping them.
   * @param query text with its values in it; one column without line breaks
   * @returns the rows, a line each; destroying the stream cancels the query
   * @throws Error when no connection is free within ten seconds
   */
  copy(session: Session, query: string): Promise<Readable> {
    const copied = (): Promise<Readable> =>
      copyOut(this.#exports, {
        context: this.#context(session),
        role: session.role,
        query,
        cancel: (pid) =>
          withClient(this.#app, (client) => client.query('select pg_catalog.pg_cancel_backend($1::int)', [pid])),
      });
    // The connection that was refused is gone: another one is asked.
    return copied().catch((error: unknown) => {
      if (!remedyFor(error)) throw error;
      return copied();
    });
  }

  /** A transaction as the owner, for migrations and publishing. Statements run unprepared. */
  async ownerTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return withClient(this.#owner, async (client) => {
      await client.query('begin');
      try {
        const result = await work(client);
        const { command } = await client.query('commit');
        if (command !== 'COMMIT')
          throw new Problem('unavailable', 'The change could not be committed. Nothing was changed.');
        return result;
      } catch (error) {
        await rollback(client);
        throw error;
      }
    });
  }

  /** A connection of the owner outside a transaction (concurrent index builds, LISTEN). */
  async asOwner<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return withClient(this.#owner, work);
  }

  async close(): Promise<void> {
    await Promise.all([this.#app.end(), this.#exports.end(), this.#owner.end()]);
  }
}

async function finish<T>(
  client: PoolClient,
  role: string,
  transaction: Transaction,
  work: (transaction: Transaction) => Promise<T>,
  opened: () => boolean,
): Promise<T> {
  try {
    const result = await work(transaction);
    if (opened()) {
      const [committed] = await sendBatch(client, role, [{ text: 'commit', values: [], unprepared: true }]);
      if (committed?.tag !== 'COMMIT')
        throw new Problem('unavailable', 'The change could not be committed. Nothing was changed.');
    }
    return result;
  } catch (error) {
    if (opened()) await rollback(client);
    throw error;
  }
}
