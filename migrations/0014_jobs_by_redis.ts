/**
 * Jobs that Redis hands out are kept here until they are done: Redis makes them fast, this table keeps them from being
 * lost. Empty as long as Postgres hands them out.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table armature.installation add column jobs_by text not null default 'postgres' check (jobs_by in ('postgres', 'redis'));
    create table armature.job (
      queue text not null,
      id text not null,
      name text not null,
      data jsonb not null,
      options jsonb not null,
      made_at timestamptz(3) not null default clock_timestamp(),
      -- When Redis was last told of it, and when it failed for good.
      told_at timestamptz(3),
      failed_at timestamptz(3),
      primary key (queue, id)
    );
    create index job_open on armature.job (coalesce(told_at, '-infinity')) where failed_at is null;
    alter table armature.job enable row level security;
    alter table armature.job force row level security;
    revoke all on armature.job from public;
    create policy owner on armature.job to armature_owner using (true) with check (true);
    grant select, update, delete on armature.job to armature_gate;
    create policy gate on armature.job to armature_gate using (true) with check (true);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table armature.job;
    alter table armature.installation drop column jobs_by;
  `);
}
