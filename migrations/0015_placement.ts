/** The directory of cells: which organisations live on another Postgres than this one. Used on the home cell alone. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table armature.placement (
      tenant_key text primary key,
      cell text not null check (cell ~ '^[a-z][a-z0-9]{0,11}$'),
      placed_at timestamptz(3) not null default clock_timestamp()
    );
    alter table armature.placement enable row level security;
    alter table armature.placement force row level security;
    revoke all on armature.placement from public;
    create policy owner on armature.placement to armature_owner using (true) with check (true);
    grant select on armature.placement to armature_gate;
    create policy gate on armature.placement for select to armature_gate using (true);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table armature.placement');
}
