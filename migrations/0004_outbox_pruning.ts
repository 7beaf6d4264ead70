/**
 * The outbox does not grow for ever: housekeeping deletes what is old, as the gate. That nothing is lost which a
 * consumer has yet to read is the policy's doing, whatever the statement says.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    grant delete on armature.outbox to armature_gate;
    create policy gate_prune on armature.outbox for delete to armature_gate
      using (not exists (select from armature.outbox_position p where (p.xid, p.id) < (outbox.xid, outbox.id)));
    -- Rows come in the order of time: a few bytes for every 128 pages find the old ones.
    create index outbox_age on armature.outbox using brin (at) with (autosummarize = on);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index armature.outbox_age;
    drop policy gate_prune on armature.outbox;
    revoke delete on armature.outbox from armature_gate;
  `);
}
