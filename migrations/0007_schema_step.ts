/** What publishes leave for afterwards: every step a row, so that it is seen, survives a crash and can be taken back. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table armature.schema_step (
      tenant_id uuid not null references armature.tenant on delete cascade,
      number bigint generated always as identity,
      -- The release that asked for it.
      release integer not null,
      kind text not null,
      -- engine/schema/deferred/work.ts
      work jsonb not null,
      title text not null,
      why text not null,
      sql text[] not null,
      state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
      -- A later release wants it differently or not at all; no step of this row will ever run again.
      superseded_by integer,
      attempts integer not null default 0,
      -- In our words, never Postgres's.
      error text,
      done bigint not null default 0,
      total bigint,
      -- Where a step of many batches goes on.
      after uuid,
      -- The connection it runs on, while it runs.
      backend integer,
      created_at timestamptz(3) not null default now(),
      started_at timestamptz(3),
      finished_at timestamptz(3),
      primary key (tenant_id, number)
    );
    create index schema_step_open on armature.schema_step (tenant_id, number) where state <> 'done';
    alter table armature.schema_step enable row level security;
    alter table armature.schema_step force row level security;
    create policy owner on armature.schema_step to armature_owner using (true) with check (true);
    create index set_aside_age on armature.set_aside (at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index armature.set_aside_age;
    drop table armature.schema_step;
  `);
}
