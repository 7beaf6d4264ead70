/** A conversion ahead of a publish that stands half-way for as long as a test wants it to. */
import pg from 'pg';
import { expect } from 'vitest';
import { qualified } from '#engine/db/identifiers.ts';
import type { TestDatabase } from '#tests/support/postgres.ts';
import type { Organisation } from '#tests/support/schema-lab.ts';

export interface HalfWay<T> {
  /** Process of Postgres that converts. */
  readonly backend: number;
  readonly publishing: Promise<T>;
  /** Lets it convert the rest. */
  readonly goOn: () => Promise<void>;
}

/** The conversion that is under way, once it is as `where` says. */
async function converting({ superuser }: TestDatabase, { tenant }: Organisation, where: string): Promise<number> {
  let backend = 0;
  const look = async () => {
    const { rows } = await superuser.query<{ backend: number }>(
      `select backend from armature.schema_step s join pg_stat_activity a on a.pid = s.backend
       where s.tenant_id = $1 and s.kind = 'convert' and s.state = 'running' and ${where}`,
      [tenant.id],
    );
    backend = rows[0]?.backend ?? 0;
    return backend;
  };
  await expect.poll(look, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
  return backend;
}

/**
 * Begins a publish and answers when some rows of the table are converted, and others cannot be: they are held.
 * @param table with more than a thousand rows; that of `n1` is not held
 */
export async function halfWay<T>(
  test: TestDatabase,
  made: Organisation,
  table: string,
  publish: () => Promise<T>,
): Promise<HalfWay<T>> {
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ ...test.address, ...test.admin });
    await client.connect();
    return client;
  };
  const [earlier, holder] = [await connect(), await connect()];
  try {
    // The index of rows that are to be converted is not ready before whoever looked at anything earlier is done.
    await earlier.query('begin isolation level repeatable read; select count(*) from pg_class');
    const publishing = publish();
    publishing.catch(() => {});
    await converting(test, made, `a.wait_event_type = 'Lock'`);
    await holder.query('begin');
    // Several, since values that cannot be converted are not written; the last, since rows go by their ids.
    await holder.query(
      `select from ${qualified(made.tenant.names.schema, table)} where name <> 'n1' order by id desc limit 50 for update`,
    );
    await earlier.query('commit');
    const backend = await converting(test, made, 's.done > 0');
    return { backend, publishing, goOn: () => holder.end() };
  } catch (error) {
    await holder.end();
    throw error;
  } finally {
    await earlier.end();
  }
}

/** Ends a process of Postgres, and answers when all it held is free. */
export async function kill({ superuser }: TestDatabase, backend: number): Promise<void> {
  const { rows } = await superuser.query<{ ended: boolean }>('select pg_terminate_backend($1, 60000) as ended', [
    backend,
  ]);
  expect(rows).toEqual([{ ended: true }]);
}
