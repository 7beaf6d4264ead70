/** With which engine a tenant's schema was made: after an upgrade it may want something else of the same release. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`alter table armature.tenant_state add column engine text not null default ''`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table armature.tenant_state drop column engine');
}
