/**
 * Deadlines whose clock stops: business time without pauses, and what becomes of a deadline when it stops and goes on.
 * And flags that are switched: who keeps models in memory knows and is told.
 */
import type { Knex } from 'knex';
import { down as withoutBusinessTime, up as asBefore } from './0016_business_time.ts';

export async function up(knex: Knex): Promise<void> {
  await withoutBusinessTime(knex);
  await knex.raw(`
    -- The hours of one day, as a range that is empty where nobody works. A day on which the clocks change is as long as it is.
    create function armature.business_day(hours jsonb, holidays jsonb, day date)
      returns tstzrange language sql immutable parallel safe
      set search_path = pg_catalog, pg_temp
      as $$
        select case
          when not hours -> 'days' @> to_jsonb(extract(isodow from day)::int) or holidays @> to_jsonb(to_char(day, 'YYYY-MM-DD'))
            or (hours ->> 'from')::time >= (hours ->> 'to')::time then 'empty'
          else tstzrange(
            (day + (hours ->> 'from')::time) at time zone (hours ->> 'timeZone'),
            greatest((day + (hours ->> 'to')::time) at time zone (hours ->> 'timeZone'),
                     (day + (hours ->> 'from')::time) at time zone (hours ->> 'timeZone')))
        end
      $$;

    -- So much business time after a moment, not counting the pauses; NULL when ten years do not hold as much.
    create function armature.add_business_time(tenant uuid, since timestamptz, lasting interval, pauses tstzmultirange)
      returns timestamptz language plpgsql stable parallel safe security definer
      set search_path = pg_catalog, pg_temp
      as $$
      declare
        hours jsonb := (select t.business_hours from armature.tenant t where t.id = tenant);
        holidays jsonb := coalesce((select s.value::jsonb from armature.setting_value s
          where s.tenant_id = tenant and s.setting = 'core.holidays' and s.user_id is null), '[]');
        day date := (since at time zone (hours ->> 'timeZone'))::date;
        -- Of an interval across days only the seconds are sure.
        left_over interval := extract(epoch from lasting) * interval '1 second';
        open_hours tstzmultirange;
        piece tstzrange;
      begin
        -- One organisation's roles learn nothing of another's calendar; the owner, who publishes, is of none.
        if armature.tenant_id() <> tenant then return null; end if;
        if since is null or lasting is null or lasting < interval '0' or hours is null or not isfinite(since) then return null; end if;
        for step in 0 .. 3660 loop
          open_hours := tstzmultirange(armature.business_day(hours, holidays, day) * tstzrange(since, null));
          if pauses is not null then open_hours := open_hours - pauses; end if;
          for piece in select r from unnest(open_hours) r order by 1 loop
            if left_over <= upper(piece) - lower(piece) then return lower(piece) + left_over; end if;
            left_over := left_over - (upper(piece) - lower(piece));
          end loop;
          day := day + 1;
        end loop;
        return null;
      end $$;

    create function armature.add_business_time(tenant uuid, since timestamptz, minutes bigint)
      returns timestamptz language sql stable parallel safe
      set search_path = pg_catalog, pg_temp
      as $$ select armature.add_business_time(tenant, since, minutes * interval '1 minute', null) $$;

    -- The business time between two moments, at most of ten years.
    create function armature.business_time(tenant uuid, since timestamptz, until timestamptz)
      returns interval language plpgsql stable parallel safe security definer
      set search_path = pg_catalog, pg_temp
      as $$
      declare
        hours jsonb := (select t.business_hours from armature.tenant t where t.id = tenant);
        holidays jsonb := coalesce((select s.value::jsonb from armature.setting_value s
          where s.tenant_id = tenant and s.setting = 'core.holidays' and s.user_id is null), '[]');
        day date := (since at time zone (hours ->> 'timeZone'))::date;
        last_day date := (until at time zone (hours ->> 'timeZone'))::date;
        sum interval := interval '0';
        worked tstzrange;
      begin
        if armature.tenant_id() <> tenant then return null; end if;
        if since is null or until is null or hours is null or not isfinite(since) or not isfinite(until) then return null; end if;
        if until <= since then return sum; end if;
        for step in 0 .. least(last_day - day, 3660) loop
          worked := armature.business_day(hours, holidays, day + step) * tstzrange(since, until);
          if not isempty(worked) then sum := sum + (upper(worked) - lower(worked)); end if;
        end loop;
        return extract(epoch from sum) * interval '1 second';
      end $$;

    -- What a deadline is after a write. While the clock stands there is no due time, except one that had passed before:
    -- what it was is kept, and when the clock goes on, as much business time is left as there was.
    --   since, minutes: what it is computed from; minutes matter only when it is computed anew
    --   standing: whether the clock is to stand from now on; anew: whether what it is computed from has changed
    --   pauses: all of them, the last one open as long as the clock stands
    create function armature.keep_deadline(tenant uuid, since timestamptz, minutes bigint, standing boolean, anew boolean,
        inout due timestamptz, inout kept timestamptz, inout pauses tstzmultirange)
      language plpgsql stable
      set search_path = pg_catalog, pg_temp
      as $$
      declare
        at timestamptz := armature.now();
        -- When the clock stopped that stood until now.
        stopped timestamptz := (select lower(r) from unnest(pauses) r where upper_inf(r));
        begun timestamptz := greatest(stopped, since);
      begin
        if anew then
          due := armature.add_business_time(tenant, since, minutes * interval '1 minute',
            pauses - case when stopped is null then '{}' else tstzmultirange(tstzrange(stopped, null)) end);
          kept := null;
          if stopped is not null and due > stopped then
            kept := due;
            due := null;
          end if;
        end if;
        if stopped is not null and not standing then
          pauses := pauses * tstzmultirange(tstzrange(null, at));
          if kept is not null then
            due := case when at <= begun then kept
              else armature.add_business_time(tenant, at, armature.business_time(tenant, begun, kept), null) end;
            kept := null;
          end if;
        elsif stopped is null and standing then
          pauses := coalesce(pauses, '{}') + tstzmultirange(tstzrange(at, null));
          if due > at then
            kept := due;
            due := null;
          end if;
        end if;
      end $$;

    revoke execute on function armature.business_day(jsonb, jsonb, date),
      armature.add_business_time(uuid, timestamptz, bigint), armature.add_business_time(uuid, timestamptz, interval, tstzmultirange),
      armature.business_time(uuid, timestamptz, timestamptz),
      armature.keep_deadline(uuid, timestamptz, bigint, boolean, boolean, timestamptz, timestamptz, tstzmultirange) from public;
    grant execute on function
      armature.add_business_time(uuid, timestamptz, bigint), armature.add_business_time(uuid, timestamptz, interval, tstzmultirange),
      armature.business_time(uuid, timestamptz, timestamptz),
      armature.keep_deadline(uuid, timestamptz, bigint, boolean, boolean, timestamptz, timestamptz, tstzmultirange)
      to armature_tenant, armature_owner;
    grant execute on function armature.business_day(jsonb, jsonb, date) to armature_owner;

    -- The value of a setting as a condition compares it, NULL where none of that kind is set. What was stored when the
    -- setting was something else is as good as none. The twin is in engine/condition/evaluate.ts.
    create function armature.setting(name text, own boolean, kind text) returns text language sql stable parallel safe
      set search_path = pg_catalog, pg_temp
      as $$
        select case
          when jsonb_typeof(v.json) = 'boolean' then case when kind = 'boolean' then v.json #>> '{}' end
          when jsonb_typeof(v.json) = 'number' then
            case when kind = 'decimal' and pg_input_is_valid(v.json #>> '{}', 'numeric')
                or kind = 'integer' and pg_input_is_valid(v.json #>> '{}', 'bigint') then v.json #>> '{}' end
          when jsonb_typeof(v.json) = 'string' then
            case when kind = 'text' or kind = 'date' and v.json #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
                and pg_input_is_valid(v.json #>> '{}', 'date') then v.json #>> '{}' end
        end
        from (select case when pg_input_is_valid(s.value, 'jsonb') then s.value::jsonb end as json
          from armature.setting_value s
          where s.tenant_id = armature.tenant_id() and s.setting = $1
            and case when own then s.user_id = armature.user_id() else s.user_id is null end) v
      $$;
    revoke execute on function armature.setting(text, boolean, text) from public;
    grant execute on function armature.setting(text, boolean, text) to armature_tenant, armature_owner;

    grant select on armature.flag_switch to armature_gate;
    create policy gate on armature.flag_switch for select to armature_gate using (true);
    create function armature.tell_switch() returns trigger language plpgsql security definer
      set search_path = pg_catalog, pg_temp
      as $$
      begin
        perform pg_notify('armature_release', t.key || ' flags') from armature.tenant t
          where t.id = case when tg_op = 'DELETE' then old.tenant_id else new.tenant_id end;
        return null;
      end $$;
    revoke execute on function armature.tell_switch() from public;
    create trigger tell after insert or update or delete on armature.flag_switch
      for each row execute function armature.tell_switch();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop function armature.setting(text, boolean, text);
    drop trigger tell on armature.flag_switch;
    drop function armature.tell_switch();
    drop policy gate on armature.flag_switch;
    revoke select on armature.flag_switch from armature_gate;
    drop function armature.keep_deadline(uuid, timestamptz, bigint, boolean, boolean, timestamptz, timestamptz, tstzmultirange);
    drop function armature.business_time(uuid, timestamptz, timestamptz);
    drop function armature.add_business_time(uuid, timestamptz, bigint);
    drop function armature.add_business_time(uuid, timestamptz, interval, tstzmultirange);
    drop function armature.business_day(jsonb, jsonb, date);
  `);
  await asBefore(knex);
}
