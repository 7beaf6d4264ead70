/**
 * How a statement refuses the batch it stands in: the write path checks references, conditions and versions in the same
 * round trip as the write itself, and an error is what makes the whole batch undone.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Returns text so that it can stand in a CASE. The message is ours alone: JSON, read by records/write.
    create function armature.refuse(code text, details json default '[]') returns text language plpgsql volatile
      set search_path = pg_catalog, pg_temp
      as $$
      begin
        raise exception using errcode = 'AR002', message = json_build_object('code', code, 'details', details)::text;
      end $$;
    revoke execute on function armature.refuse(text, json) from public;
    grant execute on function armature.refuse(text, json) to armature_tenant, armature_owner;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function armature.refuse(text, json)');
}
