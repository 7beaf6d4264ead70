/** That a record was shared, or is no longer, is an event of the outbox: for those it concerns, and for nobody else. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table armature.outbox drop constraint outbox_operation_check;
    alter table armature.outbox add constraint outbox_operation_check
      check (operation in ('create', 'update', 'delete', 'restore', 'share'));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    delete from armature.outbox where operation = 'share';
    alter table armature.outbox drop constraint outbox_operation_check;
    alter table armature.outbox add constraint outbox_operation_check
      check (operation in ('create', 'update', 'delete', 'restore'));
  `);
}
