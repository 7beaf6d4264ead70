/**
 * Looking for records that are probably the same. The comparisons are none that Postgres uses an index for under a row
 * policy, so a function looks as the owner, asks for the caller's right to read the record and the compared fields, and
 * answers ids; whoever asks joins them back under the policies.
 */
import { literal, fit, qualified, quote } from '../db/identifiers.ts';
import { inlineValue } from '../condition/to-sql.ts';
import type { DuplicateMatch, DuplicateRule } from '../model/duplicates.ts';
import type { Entity, Field } from '../model/model.ts';
import { SQL_TYPE } from '../model/value-type.ts';
import type { Context } from './context.ts';
import { tableOf } from './context.ts';
import { indexName } from './names.ts';
import { ownRights } from './own-rights.ts';
import { callerReaches } from './row-rights.ts';
import type { FunctionState, IndexState } from './state.ts';
import { PINNED } from './owner.ts';

/** Candidates of one rule. */
const CANDIDATES = 50;

export const similarName = (entity: Pick<Entity, 'id'>): string => fit(`similar_${entity.id}`);

function fieldOf(entity: Entity, { field }: DuplicateMatch): Field {
  const found = entity.fields.get(field);
  if (!found) throw new TypeError(`${entity.name} has no field ${field}`);
  return found;
}

/** What is compared of a value. `{}` stands for it. */
export function comparedSql(entity: Entity, match: DuplicateMatch): string {
  if (match.how === 'exact') return fieldOf(entity, match).type.key === 'url' ? 'armature.host_of({})' : '{}';
  return `armature.normalised({}, ${inlineValue(match.ignore, 'text[]')})`;
}

/** Indexes of the rules: on the one comparison of each that finds the fewest, or on all of them when all are fuzzy. */
export function duplicateIndexes(entity: Entity, live: string | null): Record<string, IndexState> {
  const found: Record<string, IndexState> = {};
  for (const { match } of entity.duplicates) {
    const firm = match.filter(({ how }) => how !== 'fuzzy');
    for (const one of firm.length > 0 ? firm : match) {
      const field = fieldOf(entity, one);
      const expression = comparedSql(entity, one);
      const fuzzy = one.how === 'fuzzy';
      const name = expression === '{}' ? `${field.id}_same` : `${field.id}_${one.how}_${one.ignore.join('_')}`;
      found[indexName(name)] = {
        columns: [field.id],
        unique: false,
        method: fuzzy ? 'gin' : 'btree',
        whereNull: live,
        ...(expression === '{}' ? {} : { expression: `(${expression})${fuzzy ? ' public.gin_trgm_ops' : ''}` }),
      };
    }
  }
  return found;
}

/** `(rule, values in the order of its match, record to leave out)` → `record`, `score` from 0 to 1. */
export function similarFunction(context: Context, entity: Entity): FunctionState | null {
  if (entity.duplicates.length === 0) return null;
  const { names } = context.tenant;
  const readers = context.roles.filter((role) => ownRights(context.model, entity, role).read.length > 0);
  const branches = entity.duplicates.map(
    (rule) => `  when ${literal(rule.key)} then return query
${ruleQuery(context, entity, rule)};`,
  );
  return {
    users: [names.system, ...readers.map((role) => names.role(role.key))].sort(),
    sql: `create or replace function ${qualified(names.schema, similarName(entity))}(rule text, vals text[], self uuid) returns table(record uuid, score real) language plpgsql stable security definer ${PINNED} as $body$
begin
  case $1
${branches.join('\n')}
  else null;
  end case;
end $body$`,
  };
}

function ruleQuery(context: Context, entity: Entity, { match }: DuplicateRule): string {
  const live = entity.softDelete ? ' and x."deleted_at" is null' : '';
  const compared = match.map((one, index) => {
    const field = fieldOf(entity, one);
    const type = field.type.valueType === null ? 'text' : SQL_TYPE[field.type.valueType];
    const sql = comparedSql(entity, one);
    const theirs = sql.replace('{}', `x.${quote(field.key)}`);
    const ours = sql.replace('{}', `($2[${index + 1}])::${type}`);
    if (one.how !== 'fuzzy') return { where: `${theirs} = ${ours}`, score: '1' };
    const alike = `public.similarity(${theirs}, ${ours})`;
    return {
      where: `${theirs} operator(public.%) ${ours} and ${alike} >= ${literal(String(one.threshold))}::real`,
      score: alike,
    };
  });
  const fields = new Set(match.map((one) => fieldOf(entity, one).id));
  const covers = (granted: ReadonlySet<string> | null) => granted === null || fields.isSubsetOf(granted);
  // Materialised: with the order and the limit in sight Postgres would walk the whole table by its key.
  return `    with found as materialized (
      select x."id" as i, ((${compared.map(({ score }) => score).join(' + ')})::real / ${match.length})::real as s from ${tableOf(context, entity)} x
      where ${compared.map(({ where }) => where).join(' and ')}${live} and ($3 is null or x."id" <> $3)
        and ${callerReaches(context, entity, 'read', 'x.', (grant) => covers(grant.fields))})
    select f.i, f.s from found f order by f.s desc, f.i desc limit ${CANDIDATES}`;
}
