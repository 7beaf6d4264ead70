/** How far the outbox can be read: other databases of the same server hold nobody back. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Every transaction of this database below it has ended, so what such a transaction committed is in every snapshot
    -- taken from now on: read the outbox in a later statement than this one. The snapshot's own xmin would do, but
    -- counts the transactions of all databases of the server. Which are this one's, Postgres tells of others' sessions
    -- only to members of pg_read_all_stats; without that right xmin has to do.
    create function armature.outbox_horizon() returns xid8 language plpgsql volatile security definer
      set search_path = pg_catalog, pg_temp
      as $$
      declare
        -- Taken before the sessions are looked at: whatever begins later is not below it.
        snapshot pg_snapshot := pg_current_snapshot();
        ceiling bigint := pg_snapshot_xmax(snapshot)::text::bigint;
        here oid := (select d.oid from pg_database d where d.datname = current_database());
        farthest bigint := ceiling - pg_snapshot_xmin(snapshot)::text::bigint;
        horizon text;
      begin
        if pg_has_role(current_user, 'pg_read_all_stats', 'usage') then
          -- Sessions are looked at once in a transaction; a second look must not see the first.
          perform pg_stat_clear_snapshot();
          -- An xid has 32 bits; how far behind the ceiling it is tells which of 64 it is. Those in front of it wrap around.
          select max(o.behind) into farthest from (
            select (ceiling - x.xid::text::bigint) & 4294967295 as behind from (
              select a.backend_xid as xid from pg_stat_get_activity(null) a
                where a.datid = here and a.backend_xid is not null and a.pid <> pg_backend_pid()
              union all
              select p.transaction from pg_prepared_xacts p where p.database = current_database()) x) o
            where o.behind between 1 and 2147483647;
        end if;
        horizon := ceiling - coalesce(farthest, 0);
        -- For the statements that follow: the gate itself may change no setting.
        perform set_config('armature.horizon', horizon, true);
        return horizon::xid8;
      end $$;
    revoke execute on function armature.outbox_horizon() from public;
    grant execute on function armature.outbox_horizon() to armature_gate;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function armature.outbox_horizon()');
}
