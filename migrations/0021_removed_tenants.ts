/** Organisations that are gone and whose files may not be yet: contents stand outside of the database, and of its transactions. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table armature.removed_tenant (
      id uuid primary key,
      removed_at timestamptz(3) not null default clock_timestamp()
    );
    alter table armature.removed_tenant enable row level security;
    alter table armature.removed_tenant force row level security;
    revoke all on armature.removed_tenant from public;
    create policy owner on armature.removed_tenant to armature_owner using (true) with check (true);
    grant select, delete on armature.removed_tenant to armature_gate;
    create policy gate on armature.removed_tenant to armature_gate using (true);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table armature.removed_tenant');
}
