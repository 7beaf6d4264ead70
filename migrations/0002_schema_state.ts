/**
 * What publishing knows of a tenant's schema: the state it left behind, so that the next publish is compared with what
 * is there and not with what today's engine would have made of the release before.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table armature.tenant_state (
      tenant_id uuid primary key references armature.tenant on delete cascade,
      release integer not null,
      -- engine/schema/state.ts, set-aside columns and tables included.
      state jsonb not null
    );
    alter table armature.tenant_state enable row level security;
    alter table armature.tenant_state force row level security;
    create policy owner on armature.tenant_state to armature_owner using (true) with check (true);

    -- Documents come back as they were written, with their keys in order.
    alter table armature.release alter column source type json using source::json;

    -- The text of a numbered field: O-00042. A number that has outgrown its digits keeps them all.
    create function armature.sequence_text(prefix text, digits integer, number bigint) returns text
      language sql immutable parallel safe
      return prefix || lpad(number::text, greatest(digits, length(number::text)), '0');
    revoke execute on function armature.sequence_text from public;
    grant execute on function armature.sequence_text to armature_tenant, armature_owner;

    -- The model store names the tenants' roles.
    grant select on armature.installation to armature_gate;
    create policy gate on armature.installation for select to armature_gate using (true);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop policy gate on armature.installation;
    revoke select on armature.installation from armature_gate;
    alter table armature.release alter column source type jsonb using source::jsonb;
    drop function armature.sequence_text;
    drop table armature.tenant_state;
  `);
}
