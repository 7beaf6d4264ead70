/** Counters of numbers without gaps, and files: what they are called, where they belong, never what is in them. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table armature.counter (
      tenant_id uuid not null references armature.tenant on delete cascade,
      field_id text not null,
      -- The year, where the numbers begin anew with it.
      period text not null,
      last bigint not null,
      primary key (tenant_id, field_id, period)
    );

    -- The row stays locked until the transaction that drew from it ends: whoever comes next takes the next number, and a
    -- transaction that is undone gives its number back. The tenant is a literal of the column's default; a role of a
    -- tenant can only name its own, and the owner (who fills a new column) any.
    create function armature.draw_number(tenant uuid, field text, prefix text, digits integer, start bigint) returns text
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      declare
        acting uuid := armature.tenant_id();
        year text;
        drawn bigint;
      begin
        if acting is distinct from tenant and not (acting is null and session_user = current_user) then
          raise insufficient_privilege;
        end if;
        if prefix like '%{yy%}%' then
          select to_char(armature.now() at time zone t.time_zone, 'YYYY') into year from armature.tenant t where t.id = tenant;
        end if;
        insert into armature.counter as c (tenant_id, field_id, period, last)
          values (tenant, field, coalesce(year, ''), start)
          on conflict (tenant_id, field_id, period) do update set last = c.last + 1
          returning c.last into drawn;
        return armature.sequence_text(
          replace(replace(prefix, '{yyyy}', coalesce(year, '')), '{yy}', coalesce(right(year, 2), '')), digits, drawn);
      end $$;

    create table armature.file (
      tenant_id uuid not null references armature.tenant on delete cascade,
      id uuid not null,
      created_by uuid not null,
      created_at timestamptz(3) not null,
      name text not null check (char_length(name) between 1 and 255),
      -- As recognised by the content, never as the client says.
      type text not null,
      size bigint not null check (size >= 0),
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      -- Null until a record's field holds it; what stays so for a day is deleted.
      entity_id text,
      field_id text,
      record_id uuid,
      primary key (tenant_id, id)
    );
    create index file_pending on armature.file (created_at) where record_id is null;

    -- Who knows the id of a record's file has read the record. Nobody of a tenant reads the table itself.
    create function armature.file_of(file uuid) returns json language sql stable parallel safe security definer
      set search_path = pg_catalog, pg_temp as $$
        select json_build_object('id', f.id, 'name', f.name, 'type', f.type, 'size', f.size)
        from armature.file f where f.tenant_id = armature.tenant_id() and f.id = file
      $$;

    revoke execute on function armature.draw_number, armature.file_of from public;
    grant execute on function armature.draw_number, armature.file_of to armature_tenant, armature_owner;
  `);
  await knex.raw(`
    do $$
    declare t text;
    begin
      foreach t in array array['counter', 'file'] loop
        execute format('alter table armature.%I enable row level security', t);
        execute format('alter table armature.%I force row level security', t);
        execute format('create policy owner on armature.%I to armature_owner using (true) with check (true)', t);
      end loop;
    end $$;

    -- One's own uploads, as long as no record names them.
    grant select, insert on armature.file to armature_tenant;
    create policy own on armature.file to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and created_by = (select armature.user_id()) and record_id is null)
      with check (tenant_id = (select armature.tenant_id()) and created_by = (select armature.user_id()) and record_id is null);

    -- Housekeeping deletes what no record names, and sees nothing else.
    grant select, delete on armature.file to armature_gate;
    create policy gate on armature.file to armature_gate using (record_id is null);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop function armature.draw_number;
    drop function armature.file_of;
    drop table armature.file;
    drop table armature.counter;
  `);
}
