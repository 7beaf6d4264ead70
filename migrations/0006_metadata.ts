/**
 * What an organisation sets without publishing: flags that are switched, values of settings; and what its
 * administrators are still working on, drafts. Every change of them is kept in `metadata_event`, by triggers.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Which of a tenant's roles are those of its administrators. Publishing keeps it.
    alter table armature.database_role add column administrator boolean not null default false;
    update armature.database_role set administrator = true where roles = array['administrator'];

    create function armature.is_administrator() returns boolean language sql stable parallel safe security definer
      set search_path = pg_catalog, pg_temp
      as $$
        select exists (select from armature.database_role r
          where r.tenant_id = armature.tenant_id() and r.administrator
            and pg_has_role(current_setting('role'), r.name, 'USAGE'))
      $$;

    create table armature.flag_switch (
      tenant_id uuid not null default armature.tenant_id() references armature.tenant on delete cascade,
      -- Qualified name, crm.feature_forecast.
      flag text not null check (char_length(flag) <= 100),
      "on" boolean not null,
      primary key (tenant_id, flag)
    );

    create table armature.setting_value (
      tenant_id uuid not null default armature.tenant_id() references armature.tenant on delete cascade,
      setting text not null check (char_length(setting) <= 100),
      -- Null: the organisation's.
      user_id uuid,
      -- JSON, or of a secret what only the server can open.
      value text not null check (char_length(value) <= 200000),
      unique nulls not distinct (tenant_id, setting, user_id)
    );

    create table armature.draft (
      tenant_id uuid not null default armature.tenant_id() references armature.tenant on delete cascade,
      author uuid not null default armature.user_id(),
      name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,59}$'),
      -- E-mail or name, as releases have it.
      author_name text not null,
      base integer not null,
      -- JSON as it was written, with its keys in order.
      documents json not null,
      message text not null default '',
      version integer not null default 1,
      updated_at timestamptz(3) not null default armature.now(),
      primary key (tenant_id, author, name)
    );

    create table armature.metadata_event (
      id bigint generated always as identity primary key,
      tenant_id uuid not null references armature.tenant on delete cascade,
      at timestamptz(3) not null,
      actor uuid,
      what text not null check (what in ('flag', 'setting', 'draft')),
      operation text not null check (operation in ('insert', 'update', 'delete')),
      subject text not null,
      -- Of a flag: what it was switched to. Values of settings are not kept: some are secrets.
      detail text
    );
    create index metadata_event_order on armature.metadata_event (tenant_id, id);

    create function armature.keep_metadata_event() returns trigger language plpgsql security definer
      set search_path = pg_catalog, pg_temp
      as $$
      declare
        row jsonb := to_jsonb(case when tg_op = 'DELETE' then old else new end);
        kind text := case tg_table_name when 'flag_switch' then 'flag' when 'setting_value' then 'setting' else 'draft' end;
      begin
        -- With the whole organisation everything goes; there is nobody left to tell.
        if not exists (select from armature.tenant t where t.id = (row ->> 'tenant_id')::uuid) then return null; end if;
        insert into armature.metadata_event (tenant_id, at, actor, what, operation, subject, detail)
          values ((row ->> 'tenant_id')::uuid, armature.now(), armature.user_id(), kind, lower(tg_op),
            coalesce(row ->> 'flag', row ->> 'setting', row ->> 'name'),
            case when kind = 'flag' and tg_op <> 'DELETE' then row ->> 'on' end);
        return null;
      end $$;
    create trigger keep after insert or update or delete on armature.flag_switch
      for each row execute function armature.keep_metadata_event();
    create trigger keep after insert or update or delete on armature.setting_value
      for each row execute function armature.keep_metadata_event();
    create trigger keep after insert or update or delete on armature.draft
      for each row execute function armature.keep_metadata_event();

    -- The twin of engine/model/flags.ts. Roles come with all that inherit them.
    create function armature.flag_on(name text, fallback boolean, roles text[], percent integer, since timestamptz, until timestamptz)
      returns boolean language sql stable parallel safe security definer
      set search_path = pg_catalog, pg_temp
      as $$
        select coalesce((select f."on" from armature.flag_switch f where f.tenant_id = armature.tenant_id() and f.flag = $1), $2)
          and ($5 is null or armature.now() >= $5)
          and ($6 is null or armature.now() < $6)
          and ($3 is null or coalesce(armature.roles() && $3, false))
          and ($4 is null or $4 >= 100 or coalesce(
            ('x' || substr(md5($1 || ':' || armature.user_id()), 1, 8))::bit(32)::bigint % 100 < $4, false))
      $$;

    revoke execute on function armature.is_administrator(), armature.keep_metadata_event(),
      armature.flag_on(text, boolean, text[], integer, timestamptz, timestamptz) from public;
    grant execute on function armature.is_administrator(),
      armature.flag_on(text, boolean, text[], integer, timestamptz, timestamptz) to armature_tenant, armature_owner;
  `);

  await knex.raw(`
    do $$
    declare t text;
    begin
      foreach t in array array['flag_switch', 'setting_value', 'draft', 'metadata_event'] loop
        execute format('alter table armature.%I enable row level security', t);
        execute format('alter table armature.%I force row level security', t);
        execute format('create policy owner on armature.%I to armature_owner using (true) with check (true)', t);
      end loop;
    end $$;

    -- Everybody's screens ask which flags are on; administrators switch them.
    grant select, insert, update, delete on armature.flag_switch to armature_tenant;
    create policy seen on armature.flag_switch for select to armature_tenant using (tenant_id = (select armature.tenant_id()));
    create policy made on armature.flag_switch for insert to armature_tenant
      with check (tenant_id = (select armature.tenant_id()) and (select armature.is_administrator()));
    create policy changed on armature.flag_switch for update to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and (select armature.is_administrator()))
      with check (tenant_id = (select armature.tenant_id()) and (select armature.is_administrator()));
    create policy gone on armature.flag_switch for delete to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and (select armature.is_administrator()));

    -- The organisation's values are read by all and set by administrators; everybody sets their own.
    grant select, insert, update, delete on armature.setting_value to armature_tenant;
    create policy seen on armature.setting_value for select to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and (user_id is null or user_id = (select armature.user_id())));
    create policy made on armature.setting_value for insert to armature_tenant
      with check (tenant_id = (select armature.tenant_id())
        and case when user_id is null then (select armature.is_administrator()) else user_id = (select armature.user_id()) end);
    create policy changed on armature.setting_value for update to armature_tenant
      using (tenant_id = (select armature.tenant_id())
        and case when user_id is null then (select armature.is_administrator()) else user_id = (select armature.user_id()) end);
    create policy gone on armature.setting_value for delete to armature_tenant
      using (tenant_id = (select armature.tenant_id())
        and case when user_id is null then (select armature.is_administrator()) else user_id = (select armature.user_id()) end);

    -- Drafts are the administrators': each writes the own ones and reads the others'.
    grant select, insert, update, delete on armature.draft to armature_tenant;
    create policy seen on armature.draft for select to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and (select armature.is_administrator()));
    create policy made on armature.draft for insert to armature_tenant
      with check (tenant_id = (select armature.tenant_id()) and author = (select armature.user_id()) and (select armature.is_administrator()));
    create policy changed on armature.draft for update to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and author = (select armature.user_id()) and (select armature.is_administrator()))
      with check (tenant_id = (select armature.tenant_id()) and author = (select armature.user_id()) and (select armature.is_administrator()));
    create policy gone on armature.draft for delete to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and author = (select armature.user_id()) and (select armature.is_administrator()));

    grant select on armature.metadata_event to armature_tenant;
    create policy seen on armature.metadata_event for select to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and (select armature.is_administrator()));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table armature.metadata_event, armature.draft, armature.setting_value, armature.flag_switch;
    drop function armature.keep_metadata_event();
    drop function armature.flag_on(text, boolean, text[], integer, timestamptz, timestamptz);
    drop function armature.is_administrator();
    alter table armature.database_role drop column administrator;
  `);
}
