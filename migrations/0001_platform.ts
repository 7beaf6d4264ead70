/**
 * The platform's own tables: the directory of tenants, releases, sign-in, idempotency, outbox, imports.
 *
 * All of them live in schema `armature` with forced row security. The tenant of a request comes from the database role
 * it runs as (`armature.database_role`), never from a setting.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create schema armature;
    grant usage on schema armature to armature_tenant, armature_gate, armature_app;

    create table armature.installation (
      one boolean primary key default true check (one),
      role_prefix text not null,
      created_at timestamptz(3) not null default now()
    );

    create table armature.tenant (
      id uuid primary key,
      key text not null unique check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
      name text not null,
      country text not null,
      currency text not null,
      time_zone text not null,
      locale text not null,
      -- {"timeZone": "Europe/Berlin", "days": [1,2,3,4,5], "from": "09:00", "to": "17:00"}; days: 1 = Monday
      business_hours jsonb not null,
      release integer not null default 0,
      created_at timestamptz(3) not null default now()
    );

    -- Every database role that belongs to a tenant. The source of armature.tenant_id().
    create table armature.database_role (
      name text primary key,
      tenant_id uuid not null references armature.tenant on delete cascade,
      -- Role keys whose rights it carries; empty for the service principals.
      roles text[] not null
    );

    create table armature.release (
      tenant_id uuid not null references armature.tenant on delete cascade,
      number integer not null,
      base integer not null,
      author text not null,
      message text not null,
      -- What the model is built from: packs with their documents, the tenant's documents, identities.
      source jsonb not null,
      plan jsonb not null,
      created_at timestamptz(3) not null default now(),
      primary key (tenant_id, number)
    );

    -- What publishing has renamed aside instead of dropping (rule 9).
    create table armature.set_aside (
      tenant_id uuid not null references armature.tenant on delete cascade,
      -- Immutable id of the entity or field.
      id text not null,
      table_name text not null,
      -- Null when the whole table was set aside.
      column_name text,
      original text not null,
      release integer not null,
      at timestamptz(3) not null default now(),
      primary key (tenant_id, id, table_name)
    );

    create table armature.login (
      tenant_id uuid not null references armature.tenant on delete cascade,
      user_id uuid not null,
      email text not null check (email = lower(email)),
      password_hash text,
      active boolean not null default true,
      primary key (tenant_id, user_id),
      unique (tenant_id, email)
    );
    create index login_email on armature.login (email);

    -- Sessions of pages and bearer tokens of programs; only hashes of the secrets are kept.
    create table armature.session (
      token_hash bytea primary key,
      tenant_id uuid not null,
      user_id uuid not null,
      kind text not null check (kind in ('cookie', 'bearer')),
      label text,
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null,
      foreign key (tenant_id, user_id) references armature.login on delete cascade
    );
    create index session_by_user on armature.session (tenant_id, user_id);
    create index session_expiry on armature.session (expires_at);

    create table armature.idempotency (
      tenant_id uuid not null references armature.tenant on delete cascade,
      user_id uuid not null,
      key text not null check (char_length(key) between 1 and 255),
      -- SHA-256 of method, path and body.
      fingerprint text not null,
      status integer not null,
      headers text not null,
      body text not null,
      created_at timestamptz(3) not null default now(),
      primary key (tenant_id, user_id, key)
    );
    create index idempotency_age on armature.idempotency (created_at);

    -- What happened to which record, in commit order by (xid, id): ids and versions, never data.
    create table armature.outbox (
      id bigint generated always as identity primary key,
      xid xid8 not null default pg_current_xact_id(),
      tenant_id uuid not null,
      entity_id text not null,
      record_id uuid not null,
      version integer not null,
      operation text not null check (operation in ('create', 'update', 'delete', 'restore')),
      actor uuid,
      at timestamptz(3) not null
    );
    create index outbox_order on armature.outbox (xid, id);

    -- How far each consumer of the outbox has read.
    create table armature.outbox_position (
      consumer text primary key,
      xid xid8 not null,
      id bigint not null
    );

    create table armature.import (
      tenant_id uuid not null references armature.tenant on delete cascade,
      id uuid not null,
      created_by uuid not null,
      created_at timestamptz(3) not null,
      entity text not null,
      file_name text not null,
      columns jsonb not null,
      options jsonb not null default '{}',
      state text not null check (state in ('uploaded', 'queued', 'running', 'done', 'failed')),
      dry_run boolean not null default false,
      total integer not null,
      processed integer not null default 0,
      created integer not null default 0,
      updated integer not null default 0,
      failed integer not null default 0,
      problem jsonb,
      finished_at timestamptz(3),
      primary key (tenant_id, id)
    );

    create table armature.import_row (
      tenant_id uuid not null,
      import_id uuid not null,
      -- Line of the file, the header being line 1.
      line integer not null,
      cells jsonb not null,
      outcome text check (outcome in ('created', 'updated', 'failed')),
      message text,
      primary key (tenant_id, import_id, line),
      foreign key (tenant_id, import_id) references armature.import on delete cascade
    );
    create index import_row_failed on armature.import_row (tenant_id, import_id, line) where outcome = 'failed';
  `);

  // What policies, triggers and queries ask about the request. A setting that was set once reads '' afterwards, not
  // NULL, hence every nullif.
  await knex.raw(`
    create function armature.user_id() returns uuid language sql stable parallel safe
      return nullif(current_setting('armature.user_id', true), '')::uuid;
    create function armature.team() returns uuid language sql stable parallel safe
      return nullif(current_setting('armature.team', true), '')::uuid;
    create function armature.teams() returns uuid[] language sql stable parallel safe
      return nullif(current_setting('armature.teams', true), '')::uuid[];
    create function armature.roles() returns text[] language sql stable parallel safe
      return nullif(current_setting('armature.roles', true), '')::text[];
    create function armature.attribute(name text) returns text language sql stable parallel safe
      return nullif(current_setting('armature.attributes', true), '')::json ->> name;
    create function armature.now() returns timestamptz language sql stable parallel safe
      return coalesce(nullif(current_setting('armature.now', true), '')::timestamptz, now());
    create function armature.today() returns date language sql stable parallel safe
      return (armature.now() at time zone coalesce(nullif(current_setting('armature.time_zone', true), ''), 'UTC'))::date;

    -- The role that was set is still to be seen inside a definer function, where current_user is the owner.
    create function armature.tenant_id() returns uuid language sql stable parallel safe security definer
      set search_path = pg_catalog, pg_temp
      as $$ select tenant_id from armature.database_role where name = current_setting('role') $$;

    create function armature.in_business_hours() returns boolean language sql stable parallel safe security definer
      set search_path = pg_catalog, pg_temp
      as $$
        select exists (
          select from armature.tenant t
          cross join lateral (select armature.now() at time zone (t.business_hours ->> 'timeZone') as local) l
          where t.id = armature.tenant_id()
            and t.business_hours -> 'days' @> to_jsonb(extract(isodow from l.local)::int)
            and l.local::time >= (t.business_hours ->> 'from')::time
            and l.local::time < (t.business_hours ->> 'to')::time)
      $$;

    revoke execute on all functions in schema armature from public;
    grant execute on all functions in schema armature to armature_tenant, armature_owner;
  `);

  await knex.raw(`
    do $$
    declare t text;
    begin
      for t in select tablename from pg_tables where schemaname = 'armature' and tablename not like 'knex_%' loop
        execute format('alter table armature.%I enable row level security', t);
        execute format('alter table armature.%I force row level security', t);
        -- The owner publishes, migrates, and owns the definer functions above.
        execute format('create policy owner on armature.%I to armature_owner using (true) with check (true)', t);
      end loop;
    end $$;

    -- The gate: finds the tenant, authenticates, and reads the outbox. Listed in engine/identity/service-principals.ts.
    grant select on armature.tenant, armature.database_role, armature.release, armature.outbox to armature_gate;
    grant select, insert, update, delete on armature.login, armature.session to armature_gate;
    grant select, insert, update on armature.outbox_position to armature_gate;
    -- By age alone: whose answers they are and what they say is not the gate's business.
    grant select (created_at), delete on armature.idempotency to armature_gate;
    create policy gate on armature.tenant for select to armature_gate using (true);
    create policy gate on armature.database_role for select to armature_gate using (true);
    create policy gate on armature.release for select to armature_gate using (true);
    create policy gate on armature.outbox for select to armature_gate using (true);
    create policy gate on armature.login to armature_gate using (true) with check (true);
    create policy gate on armature.session to armature_gate using (true) with check (true);
    create policy gate on armature.idempotency to armature_gate using (true);
    create policy gate on armature.outbox_position to armature_gate using (true) with check (true);

    -- A tenant's people: their own idempotency keys and imports.
    grant select, insert on armature.idempotency to armature_tenant;
    create policy own on armature.idempotency to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and user_id = (select armature.user_id()))
      with check (tenant_id = (select armature.tenant_id()) and user_id = (select armature.user_id()));

    grant select, insert, update on armature.import, armature.import_row to armature_tenant;
    create policy own on armature.import to armature_tenant
      using (tenant_id = (select armature.tenant_id()) and created_by = (select armature.user_id()))
      with check (tenant_id = (select armature.tenant_id()) and created_by = (select armature.user_id()));
    create policy own on armature.import_row to armature_tenant
      using (tenant_id = (select armature.tenant_id())
        and exists (select from armature.import i where i.tenant_id = import_row.tenant_id and i.id = import_row.import_id))
      with check (tenant_id = (select armature.tenant_id())
        and exists (select from armature.import i where i.tenant_id = import_row.tenant_id and i.id = import_row.import_id));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop schema armature cascade');
}
