/** Deadlines in business time: the organisation's days and hours, without its holidays. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- So many minutes of business hours after a moment; NULL when ten years do not hold as many. A day's hours are
    -- counted between two moments, so a day on which the clocks change is as long as it is.
    create function armature.add_business_time(tenant uuid, since timestamptz, minutes bigint)
      returns timestamptz language plpgsql stable parallel safe security definer
      set search_path = pg_catalog, pg_temp
      as $$
      declare
        hours jsonb := (select t.business_hours from armature.tenant t where t.id = tenant);
        zone text := hours ->> 'timeZone';
        holidays jsonb := coalesce((select s.value::jsonb from armature.setting_value s
          where s.tenant_id = tenant and s.setting = 'core.holidays' and s.user_id is null), '[]');
        day date := (since at time zone zone)::date;
        lasting interval;
        left_over interval := minutes * interval '1 minute';
        opens timestamptz;
      begin
        -- One organisation's roles learn nothing of another's calendar; the owner, who publishes, is of none.
        if armature.tenant_id() <> tenant then return null; end if;
        if since is null or minutes is null or minutes < 0 or hours is null or not isfinite(since) then return null; end if;
        for step in 0 .. 3660 loop
          if hours -> 'days' @> to_jsonb(extract(isodow from day)::int)
            and not holidays @> to_jsonb(to_char(day, 'YYYY-MM-DD')) then
            opens := greatest((day + (hours ->> 'from')::time) at time zone zone, since);
            lasting := ((day + (hours ->> 'to')::time) at time zone zone) - opens;
            -- Of an interval across days only the seconds are sure.
            if lasting > interval '0' then
              if left_over <= lasting then return opens + left_over; end if;
              left_over := left_over - lasting;
            end if;
          end if;
          day := day + 1;
        end loop;
        return null;
      end $$;
    revoke execute on function armature.add_business_time(uuid, timestamptz, bigint) from public;
    grant execute on function armature.add_business_time(uuid, timestamptz, bigint) to armature_tenant, armature_owner;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function armature.add_business_time(uuid, timestamptz, bigint)');
}
