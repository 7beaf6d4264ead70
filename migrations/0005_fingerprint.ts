/**
 * A fingerprint of the installation's secret: a start with another one is refused before it changes any password. The
 * administrator who bootstraps reads it through a function, having no right on our tables.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table armature.installation add column fingerprint text;
    create function public.armature_fingerprint() returns text language sql stable security definer
      set search_path = pg_catalog, pg_temp
      as $$ select fingerprint from armature.installation $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop function public.armature_fingerprint();
    alter table armature.installation drop column fingerprint;
  `);
}
