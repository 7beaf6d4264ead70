/**
 * What finding duplicates needs of Postgres: texts as people mean them, without case, accents, punctuation and the words
 * of a list (`GmbH`, `Ltd`), the host of a web address, and trigrams for texts that are merely alike.
 *
 * Indexes are built on what these functions answer: a change of them needs a migration that builds those anew.
 *
 * No question mark stands in the SQL: Knex takes every one for a parameter.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Trusted: the owner of a database may have it.
    create extension if not exists pg_trgm with schema public;

    -- NULL when nothing is left. "ignore" holds words in the form that comes out here.
    create function armature.normalised(value text, ignore text[]) returns text language plpgsql immutable strict parallel safe
      set search_path = pg_catalog, pg_temp
      as $$
      declare
        plain constant text := replace(regexp_replace(
          lower(normalize(value, nfkd) collate pg_unicode_fast), '[\\u0300-\\u036f]', '', 'g'), 'ß', 'ss');
      begin
        return nullif(array_to_string(array(
          select w from regexp_split_to_table(
            regexp_replace(plain collate pg_unicode_fast, '[^[:alnum:]]+', ' ', 'g'), ' ') with ordinality as words(w, n)
          where w <> '' and w <> all (ignore) order by n), ' '), '');
      end $$;

    create function armature.host_of(value text) returns text language sql immutable strict parallel safe
      set search_path = pg_catalog, pg_temp
      return nullif(lower(regexp_replace(regexp_replace(regexp_replace(regexp_replace(value,
        '^[a-zA-Z][a-zA-Z0-9+.-]*://', ''), '^[^/@]*@', ''), '^[wW]{3}\\.', ''), '[/:#\\x3F].*$', '') collate "C"), '');

    revoke execute on function armature.normalised(text, text[]), armature.host_of(text) from public;
    grant execute on function armature.normalised(text, text[]), armature.host_of(text) to armature_tenant, armature_owner;
  `);
}

/** The extension stays: others may use it. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function armature.normalised(text, text[]), armature.host_of(text)');
}
