/**
 * What the read grammar needs of Postgres: relative dates in row policies (`armature.period_from`, `period_to`), texts
 * folded for searching (`armature.fold`) with trigrams of them, and the month an organisation's fiscal year begins with.
 *
 * The functions are the twins of `engine/condition/period.ts` and `fold.ts`; property tests hold them equal.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table armature.tenant add column fiscal_year_start smallint not null default 1
      check (fiscal_year_start between 1 and 12);

    -- Trusted: the owner of a database may have it.
    create extension if not exists pg_trgm with schema public;
  `);
  await knex.raw(PERIODS);
  await knex.raw(FOLD);
}

const PERIODS = `
  create function armature.fiscal_year_start() returns integer language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
    as $$ select coalesce((select fiscal_year_start from armature.tenant where id = armature.tenant_id()), 1) $$;

  -- The first day of a period; after is 1 for the first day that no longer counts.
  create function armature.period_edge(name text, after integer) returns date language plpgsql stable parallel safe
    set search_path = pg_catalog, pg_temp
    as $$
    declare
      today constant date := armature.today();
      parts constant text[] := regexp_match(name, '^(this|last|next)_(([0-9]+)_|)(fiscal_|)(day|week|month|quarter|year)s{0,1}$');
      which text;
      unit text;
      stride interval;
      shift interval := interval '0';
    begin
      case name
        when 'today' then return today + after;
        when 'yesterday' then return today - 1 + after;
        when 'tomorrow' then return today + 1 + after;
        else null;
      end case;
      if parts is null then
        return null;
      end if;
      which := parts[1];
      unit := parts[5];
      stride := case unit when 'quarter' then interval '3 months' else ('1 ' || unit)::interval end;
      if parts[3] is not null then
        if which = 'last' then
          return case after when 1 then today + 1 else (today + 1 - parts[3]::integer * stride)::date end;
        end if;
        return case after when 0 then today else (today + parts[3]::integer * stride)::date end;
      end if;
      if parts[4] <> '' then
        shift := make_interval(months => armature.fiscal_year_start() - 1);
      end if;
      return (date_trunc(unit, today::timestamp - shift) + shift
        + (after + case which when 'last' then -1 when 'next' then 1 else 0 end) * stride)::date;
    end $$;
  create function armature.period_from(name text) returns date language sql stable parallel safe
    return armature.period_edge(name, 0);
  create function armature.period_to(name text) returns date language sql stable parallel safe
    return armature.period_edge(name, 1);
  create function armature.start_of_day(day date) returns timestamptz language sql stable parallel safe
    return day::timestamp at time zone coalesce(nullif(current_setting('armature.time_zone', true), ''), 'UTC');
  revoke execute on function armature.fiscal_year_start(), armature.period_edge(text, integer), armature.period_from(text),
    armature.period_to(text), armature.start_of_day(date) from public;
  grant execute on function armature.fiscal_year_start(), armature.period_edge(text, integer), armature.period_from(text),
    armature.period_to(text), armature.start_of_day(date) to armature_tenant, armature_owner;
`;

// Frozen copies of the tables in engine/condition/fold.ts: an index is built on what this answers, so a change there needs
// a migration that makes those indexes anew.
const MARKS =
  '\\u0300-\\u036F\\u0591-\\u05BD\\u05BF\\u05C1\\u05C2\\u0610-\\u061A\\u0640\\u064B-\\u065F\\u0670\\u06D6-\\u06DC';
const GAPS =
  '\\u0001-\\u002F\\u003A-\\u0040\\u005B-\\u0060\\u007B-\\u00A9\\u00AB-\\u00B1\\u00B4\\u00B6-\\u00B8\\u00BB\\u00BF\\u00D7\\u00F7\\u055A-\\u055F\\u05BE\\u05C0\\u05C3\\u05F3\\u05F4\\u060C\\u061B\\u061F\\u066A-\\u066D\\u06D4\\u2000-\\u206F\\u3000-\\u3004\\u3008-\\u3020\\uFF01-\\uFF0F';
const LETTERS =
  'Σς' +
  'ıłøđðþŧħŋ' +
  'ابتثجحخدذرزسشصضطظعغفقكلمنهويءىةپچگڤک' +
  'абвгдежзиклмнопрстуфхцчшщъыьэюяіґє' +
  'αβγδεζηθικλμνξοπρστυφχψω' +
  'אבגדהוזחטיכךלמםנןסעפףצץקרשת';
const LATIN =
  'σσ' +
  'ilodd8thn' +
  'abt0j75d4rzsx91683gfqklmnhwy2yhpcovk' +
  'abvgde0ziklmnoprstufhc4w67y8391ige' +
  'abgdezh8iklmnxoprstufc9w' +
  'abgdhwz76ykklmmnns3ppccqrxt';

const FOLD = `
  create function armature.fold(value text) returns text language sql immutable strict parallel safe
    return ' ' || btrim(regexp_replace(
      translate(
        replace(replace(replace(
          regexp_replace(
            lower(translate(regexp_replace(normalize(value, nfkd), '[${MARKS}]', '', 'g'), 'Σς', 'σσ') collate pg_unicode_fast),
            '[${MARKS}]', '', 'g'),
          'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
        '${LETTERS}', '${LATIN}'),
      '[${GAPS}]+', ' ', 'g'), ' ');

  -- For each word the best of the fields: the whole word, its beginning, inside of one, nearly; times the field's weight.
  create function armature.search_rank(words text[], weights integer[], texts text[]) returns bigint language sql immutable
    parallel safe set search_path = pg_catalog, pg_temp
    as $$
      select coalesce(sum(b.best), 0)::bigint from unnest(words) w cross join lateral (
        select max(weights[u.n] * case
          when strpos(u.t || ' ', ' ' || w || ' ') > 0 then 6
          when strpos(u.t, ' ' || w) > 0 then 4
          when strpos(u.t, w) > 0 then 2
          when public.word_similarity(w, u.t) >= 0.5 then 1
          else 0 end) as best
        from unnest(texts) with ordinality u(t, n) where u.t is not null) b
    $$;
  revoke execute on function armature.fold(text), armature.search_rank(text[], integer[], text[]) from public;
  grant execute on function armature.fold(text), armature.search_rank(text[], integer[], text[]) to armature_tenant, armature_owner;
`;

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop function armature.search_rank(text[], integer[], text[]);
    drop function armature.fold(text);
    drop function armature.start_of_day(date), armature.period_to(text), armature.period_from(text),
      armature.period_edge(text, integer), armature.fiscal_year_start();
    alter table armature.tenant drop column fiscal_year_start;
  `);
}
