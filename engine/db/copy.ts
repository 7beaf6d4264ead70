/**
 * Reading very many rows: `COPY (…) TO STDOUT` on connections of its own, as a stream that Postgres fills no faster than
 * somebody reads it. COPY takes no parameters: its values stand in the text as literals.
 */
import type { Readable } from 'node:stream';
import { finished } from 'node:stream';
import type { Pool, PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Statement } from './execute.ts';
import { sendBatch } from './execute.ts';

/**
 * JSON holds neither of these two raw, nor a line break once `COPY` has none to quote: so that the text of a column goes
 * out as it is, one row a line.
 */
const FORMAT = `(format csv, delimiter E'\\x02', quote E'\\x01')`;

export interface CopyOptions {
  /** Opens the transaction: the principal's context. */
  readonly context: Statement;
  readonly role: string;
  /** A query of one column without line breaks. */
  readonly query: string;
  /** Ends what the backend is doing, on another connection. */
  readonly cancel: (pid: string) => Promise<unknown>;
}

/**
 * @returns the rows, a line each. Destroying the stream cancels the query; the connection is used again only when the
 *   stream came to its end
 */
export async function copyOut(pool: Pool, { context, role, query, cancel }: CopyOptions): Promise<Readable> {
  const client = await pool.connect();
  let pid: string;
  try {
    const [, backend] = await sendBatch(client, role, [
      { text: 'begin read only', values: [], unprepared: true },
      { text: 'select pg_backend_pid()::text', values: [], unprepared: true },
      { ...context, unprepared: true },
    ]);
    pid = backend?.rows[0]?.[0] ?? '';
  } catch (error) {
    client.release(true);
    throw error;
  }
  const stream = client.query(copyTo(`copy (${query}) to stdout ${FORMAT}`));
  finished(stream, (error) => void end(client, error ?? null, () => cancel(pid)));
  return stream;
}

async function end(client: PoolClient, error: Error | null, cancel: () => Promise<unknown>): Promise<void> {
  try {
    if (error) throw error;
    await client.query('commit');
    client.release();
  } catch {
    // The backend may be in the middle of a long sort and would not notice that nobody listens any more.
    await cancel().catch(() => {});
    client.release(true);
  }
}
