/** Which records a row of an import may be the same as, beside the sentence about them: so that they can be opened. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table armature.import_row add column alike jsonb');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table armature.import_row drop column alike');
}
