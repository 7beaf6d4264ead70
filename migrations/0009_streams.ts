/**
 * What streams need of the platform's tables: how far back the outbox goes, what a record was when its change may have
 * taken it out of somebody's sight, consumers that nobody is any more, and files to import in pieces of a thousand rows.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Values of the fields that permissions look at, as they were before a change of one of them: who could see the
    -- record may be told that it is gone from their sight. For a deleted part, what it was part of.
    alter table armature.outbox add column before jsonb;

    -- The newest event that was pruned: who has read up to an older one has missed some.
    create table armature.outbox_floor (
      one boolean primary key default true check (one),
      xid xid8 not null default '0',
      id bigint not null default 0
    );
    insert into armature.outbox_floor default values;
    alter table armature.outbox_floor enable row level security;
    alter table armature.outbox_floor force row level security;
    create policy owner on armature.outbox_floor to armature_owner using (true) with check (true);
    grant select, update on armature.outbox_floor to armature_gate;
    create policy gate on armature.outbox_floor to armature_gate using (true) with check (true);

    alter table armature.outbox_position add column seen_at timestamptz(3) not null default now();
    grant delete on armature.outbox_position to armature_gate;

    -- Rows of a file, about a thousand together: [{"line", "cells"}]. In armature.import_row stand those that failed.
    create table armature.import_chunk (
      tenant_id uuid not null,
      import_id uuid not null,
      first_line integer not null,
      last_line integer not null,
      rows json not null,
      primary key (tenant_id, import_id, last_line),
      foreign key (tenant_id, import_id) references armature.import on delete cascade
    );
    alter table armature.import_chunk enable row level security;
    alter table armature.import_chunk force row level security;
    create policy owner on armature.import_chunk to armature_owner using (true) with check (true);
    grant select, insert, delete on armature.import_chunk to armature_tenant;
    create policy own on armature.import_chunk to armature_tenant
      using (tenant_id = (select armature.tenant_id())
        and exists (select from armature.import i where i.tenant_id = import_chunk.tenant_id and i.id = import_chunk.import_id))
      with check (tenant_id = (select armature.tenant_id())
        and exists (select from armature.import i where i.tenant_id = import_chunk.tenant_id and i.id = import_chunk.import_id));
    grant delete on armature.import_row to armature_tenant;

    -- Every line up to this one has its outcome.
    alter table armature.import add column position integer not null default 0;
    insert into armature.import_chunk (tenant_id, import_id, first_line, last_line, rows)
      select r.tenant_id, r.import_id, min(r.line), max(r.line), json_agg(json_build_object('line', r.line, 'cells', r.cells) order by r.line)
      from armature.import_row r where r.outcome is null group by r.tenant_id, r.import_id, r.line / 1000;
    delete from armature.import_row where outcome is distinct from 'failed';

    -- Housekeeping deletes imports by age alone, with what hangs on them.
    grant select (tenant_id, id, created_at, finished_at, state), delete on armature.import to armature_gate;
    create policy gate on armature.import to armature_gate using (state not in ('queued', 'running'));
    create index import_age on armature.import (created_at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index armature.import_age;
    drop policy gate on armature.import;
    revoke select (tenant_id, id, created_at, finished_at, state), delete on armature.import from armature_gate;
    insert into armature.import_row (tenant_id, import_id, line, cells)
      select c.tenant_id, c.import_id, (r.value ->> 'line')::integer, (r.value -> 'cells')::jsonb
      from armature.import_chunk c cross join json_array_elements(c.rows) r on conflict do nothing;
    alter table armature.import drop column position;
    revoke delete on armature.import_row from armature_tenant;
    drop table armature.import_chunk;
    revoke delete on armature.outbox_position from armature_gate;
    alter table armature.outbox_position drop column seen_at;
    drop table armature.outbox_floor;
    alter table armature.outbox drop column before;
  `);
}
