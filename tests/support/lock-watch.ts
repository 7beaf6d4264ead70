/**
 * How long people wait for locks, as Postgres itself sees it: what a busy machine adds is not in it. Postgres looks as
 * well, in a loop of its own, so that a process that is busy itself overlooks nothing; and a wait counts until the look
 * that no longer sees it, so it is never told shorter than it was.
 */
import pg from 'pg';
import { quote } from '#engine/db/identifiers.ts';
import type { TestDatabase } from './postgres.ts';

export interface Watched {
  /** The longest that one request's transaction waited for locks, all its waits together, in milliseconds. */
  readonly longest: number;
  /** The same up to the look that saw each wait last: it was waited as long as that, however late the looks came. */
  readonly surely: number;
  /** Waits that were seen. */
  readonly waits: number;
  /** Looks taken. */
  readonly looks: number;
  /** The longest time between two looks, in milliseconds. */
  readonly apart: number;
}

/** With the number of the connection that holds it: other files watch at the same time. */
const STOP = 7_002;

/** Looks every few milliseconds at who asks in the name of people, until it is stopped. @returns what ends it */
export async function watchLocks({ address, admin, app }: TestDatabase): Promise<() => Promise<Watched>> {
  // Of another database: an index that is built concurrently waits for every transaction of its own.
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ ...address, ...admin, database: 'postgres', application_name: 'watch' });
    await client.connect();
    return client;
  };
  const flag = await connect();
  const watcher = await connect();
  const held = await flag.query<{ pid: number }>(
    'select pg_backend_pid() as pid, pg_advisory_lock($1, pg_backend_pid())',
    [STOP],
  );
  const pid = Number(held.rows[0]?.pid);
  const table = quote(`waits_${address.database}`);
  await watcher.query(
    `create temp table ${table} (pid integer, since timestamptz, request timestamptz, seen bigint, last timestamptz, gone timestamptz, primary key (pid, since));
     create function pg_temp.watch(watched text, role text) returns table (looks bigint, apart float8) language plpgsql as $body$
     declare looked timestamptz := clock_timestamp(); at timestamptz;
     begin
       looks := 0;
       apart := 0;
       while exists (select from pg_locks where locktype = 'advisory' and classid = ${STOP} and objid = ${pid}) loop
         looks := looks + 1;
         perform pg_stat_clear_snapshot();
         -- Before the look: what it sees was waited for until then at least.
         at := clock_timestamp();
         insert into ${table} as w (pid, since, request, seen, last)
           select l.pid, l.waitstart, a.xact_start, looks, at
           from pg_locks l join pg_stat_activity a on a.pid = l.pid
           where not l.granted and l.waitstart is not null and a.usename = role and a.datname = watched
         on conflict (pid, since) do update set seen = excluded.seen, last = excluded.last;
         at := clock_timestamp();
         update ${table} w set gone = at where w.gone is null and w.seen < looks;
         apart := greatest(apart, extract(epoch from at - looked) * 1000);
         looked := at;
         perform pg_sleep(0.004);
       end loop;
       update ${table} w set gone = clock_timestamp() where w.gone is null;
       return next;
     end $body$`,
  );
  const watching = watcher.query<{ looks: string; apart: number }>('select * from pg_temp.watch($1, $2)', [
    address.database,
    app.user,
  ]);
  return async () => {
    await flag.end();
    const { rows } = await watching;
    const found = await watcher.query<{ waits: number; longest: number | null; surely: number | null }>(
      `select sum(waits)::integer as waits, max(ms)::float8 as longest, max(surely)::float8 as surely from (
         select count(*) as waits, sum(extract(epoch from gone - since) * 1000) as ms,
           sum(extract(epoch from last - since) * 1000) as surely from ${table} group by pid, request) s`,
    );
    await watcher.end();
    const [told] = found.rows;
    return {
      longest: told?.longest ?? 0,
      surely: told?.surely ?? 0,
      waits: told?.waits ?? 0,
      looks: Number(rows[0]?.looks ?? 0),
      apart: rows[0]?.apart ?? 0,
    };
  };
}
