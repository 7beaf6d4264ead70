/**
 * `$search` in SQL: every word is found in one of the fields that the reader sees, as it stands or nearly (trigrams), and
 * where no order is asked for the best hits come first.
 *
 * Fields are what the reader sees, masks included: a hidden text neither finds a record nor moves it up. Whoever sees all
 * records has the index of trigrams at hand. For others the row policy stands in its way, and a function of theirs brings
 * candidates by the longest word (`schema/search.ts`), which everything here then looks at again.
 */
import { isTrue } from '../../condition/simplify.ts';
import { qualified } from '../../db/identifiers.ts';
import type { Entity, Field } from '../../model/model.ts';
import { indexedForSearch, searchWeight } from '../../model/search-fields.ts';
import { searchFunctionName } from '../../schema/names.ts';
import type { SearchPlan } from './plan.ts';
import type { SqlWriter } from './sql-source.ts';
import { Joins } from './sql-source.ts';

/**
 * Conditions to be joined with `and`.
 * @param fenced apart from what the statement sorts by: Postgres would walk the index of that order and fold a million
 *   texts on its way, thinking that the page is full soon
 */
export function searchSql(
  search: SearchPlan | null,
  entity: Entity,
  alias: string,
  writer: SqlWriter,
  joins: Joins,
  fenced = false,
): string[] {
  if (search === null) return [];
  if (fenced && isTrue(writer.access.of(entity).predicate)) {
    const inner = writer.alias('_f');
    const { from, where } = writer.source(entity, inner, 'any');
    const innerJoins = new Joins(writer);
    const found = [...where, ...searchSql(search, entity, inner, writer, innerJoins)];
    return [
      `${alias}."id" = any(array(select ${inner}."id" from ${from}${innerJoins.sql} where ${found.join(' and ')}))`,
    ];
  }
  const texts = foldedTexts(search.fields, entity, alias, writer, joins);
  const words = Array.from({ length: search.words }, (_, word) => {
    const pattern = writer.binds.once({ kind: 'search', word, form: 'pattern' }, 'text');
    const fuzzy = writer.binds.once({ kind: 'search', word, form: 'fuzzy' }, 'text');
    return `(${texts.map((text) => `${text} like ${pattern} or ${text} operator(public.%>) ${fuzzy}`).join(' or ')})`;
  });
  const candidates = candidatesSql(search, entity, writer);
  return candidates === null ? words : [`${alias}."id" = any(array(${candidates}))`, ...words];
}

/** How good a hit a record is: a whole number, greater for better. */
export function rankSql(search: SearchPlan, entity: Entity, alias: string, writer: SqlWriter, joins: Joins): string {
  const words = Array.from({ length: search.words }, (_, word) =>
    writer.binds.once({ kind: 'search', word, form: 'word' }, 'text'),
  );
  const weights = search.fields.map(searchWeight).join(', ');
  const texts = foldedTexts(search.fields, entity, alias, writer, joins).join(', ');
  return `armature.search_rank(array[${words.join(', ')}], array[${weights}], array[${texts}])`;
}

function foldedTexts(
  fields: readonly Field[],
  entity: Entity,
  alias: string,
  writer: SqlWriter,
  joins: Joins,
): string[] {
  return fields.map((field) => {
    const seen = writer.seen(
      { kind: 'field', type: 'text', steps: [], field: field.key, fieldId: field.id },
      entity,
      alias,
      joins,
    );
    return `armature.fold(${seen})`;
  });
}

/** `null` where no function is needed, or none can tell: a text that no index holds is found by looking at it. */
function candidatesSql(search: SearchPlan, entity: Entity, writer: SqlWriter): string | null {
  const { access } = writer;
  if (isTrue(access.of(entity).predicate) || entity.parent !== null) return null;
  const indexed = indexedForSearch(entity);
  if (search.fields.some((field) => !indexed.includes(field))) return null;
  const word = writer.binds.once({ kind: 'search', word: 'longest', form: 'fuzzy' }, 'text');
  const pattern = writer.binds.once({ kind: 'search', word: 'longest', form: 'pattern' }, 'text');
  const calls = [...access.rights.roles]
    .filter((role) => readsSearched(role, entity))
    .map((role) => {
      const name = qualified(writer.schema, searchFunctionName(entity, role));
      return `select ${name}(${word}, ${pattern})`;
    });
  return calls.length === 0 ? null : calls.join(' union ');
}

/** The same question as in `schema/search.ts`. */
function readsSearched(role: string, entity: Entity): boolean {
  const grants = entity.permissions.filter((each) => each.role === role && each.actions.has('read'));
  const indexed = indexedForSearch(entity);
  return grants.some(({ fields }) => indexed.some((field) => fields.read === null || fields.read.has(field.id)));
}
