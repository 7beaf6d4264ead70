/** RFC 7396 for any JSON in a field: what a change by `application/merge-patch+json` makes of it. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function armature.merge_patch(target jsonb, patch jsonb) returns jsonb language plpgsql immutable parallel safe
      set search_path = pg_catalog, pg_temp
      as $$
      begin
        if jsonb_typeof(patch) is distinct from 'object' then return patch; end if;
        return (
          select coalesce(jsonb_object_agg(key, case when p.value is null then t.value else armature.merge_patch(t.value, p.value) end), '{}')
          from jsonb_each(case when jsonb_typeof(target) = 'object' then target else '{}' end) t full join jsonb_each(patch) p using (key)
          where jsonb_typeof(p.value) is distinct from 'null'
        );
      end $$;
    revoke execute on function armature.merge_patch(jsonb, jsonb) from public;
    grant execute on function armature.merge_patch(jsonb, jsonb) to armature_tenant, armature_owner;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function armature.merge_patch(jsonb, jsonb)');
}
