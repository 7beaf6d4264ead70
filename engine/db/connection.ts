/** Where the database is and how to reach it. */
import pg from 'pg';
import type { PoolClient, PoolConfig } from 'pg';
import { hasMetMuch } from './execute.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly ssl?: boolean;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Milliseconds a statement of a request may run. */
const STATEMENT_TIMEOUT = 15_000;

/**
 * A pool whose clients never take the process down: a connection that the server ends (restart, timeout, an
 * administrator) emits `error` on the client, also while it is checked out.
 */
export function openPool(address: Address, credentials: Credentials, options: PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    host: address.host,
    port: address.port,
    database: address.database,
    ...(address.ssl ? { ssl: { rejectUnauthorized: true } } : {}),
    ...credentials,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    options: `-c statement_timeout=${STATEMENT_TIMEOUT} -c search_path=pg_catalog -c timezone=UTC -c jit=off`,
    ...options,
  });
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.on('error', () => {});
  });
  return pool;
}

/** Whether the connection is gone (network, server shutdown, administrator). Errors of a statement leave it usable. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    code.startsWith('08') ||
    code.startsWith('57P') ||
    code === '25P04' ||
    /^E[A-Z]{3,}$/.test(code) ||
    /connection terminated|connection error|not queryable/i.test(error.message)
  );
}

/** Clients whose transaction could not be ended: their state is unknown, so they are not used again. */
const broken = new WeakSet<PoolClient>();

/** Ends a transaction block after an error; a client on which even that fails is given up. */
export async function rollback(client: PoolClient): Promise<void> {
  try {
    await client.query('rollback');
  } catch {
    broken.add(client);
  }
}

/** Without the promise that the pool makes to keep a stack trace, as every request waits for it. */
export function borrow(pool: pg.Pool, use: (error: Error | null, client: PoolClient | null) => void): void {
  pool.connect((error, client) => {
    if (client) use(null, client);
    else use(error ?? new Error('the pool gave no connection'), null);
  });
}

/** @param error what went wrong while it was borrowed: a connection that is gone is replaced, as is one that has met much */
export function giveBack(client: PoolClient, error: unknown): void {
  const lost = error !== null && (isConnectionLost(error) || broken.has(client));
  client.release(lost || hasMetMuch(client));
}

export async function withClient<T>(pool: pg.Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await new Promise<PoolClient>((resolve, reject) => {
    borrow(pool, (error, borrowed) => (borrowed ? resolve(borrowed) : reject(error)));
  });
  let failure: unknown = null;
  try {
    return await use(client);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    giveBack(client, failure);
  }
}
