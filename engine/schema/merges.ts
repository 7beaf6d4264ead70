/** Where the records went that were merged into others: one table beside the entities' own, so that an old address still leads somewhere. */
import { literal, quote } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import { USER_ENTITY } from '../model/system-fields.ts';
import { plainColumns } from './columns.ts';
import type { Context } from './context.ts';
import { anyOf, tableOf } from './context.ts';
import { indexName, primaryKeyName, referenceName } from './names.ts';
import { ownRights } from './own-rights.ts';
import { ownerPolicy, type Policies } from './policies.ts';
import { rowsOf } from './row-rights.ts';
import type { GrantState, TableState } from './state.ts';

/** Id and name, as {@link import('./shares.ts').SHARES}. */
export const MERGES = 'merges';

const COLUMNS = [
  ['record', 'uuid', true],
  ['entity', 'text', true],
  ['winner', 'uuid', true],
  ['at', 'timestamptz(3)', true],
  ['actor', 'uuid', false],
] as const;

const idOf = (column: (typeof COLUMNS)[number][0]): string => `${MERGES}_${column}`;

/** Records that leave for good leave no place to merge from; parts go with their whole. */
export const canMerge = (entity: Entity): boolean => entity.softDelete && entity.parent === null;

/** @returns `null` when no entity's records can be merged */
export function mergesTable(context: Context): TableState | null {
  const user = context.model.entities.get(USER_ENTITY);
  const entities = [...context.model.entities.values()].filter(canMerge);
  if (entities.length === 0 || !user) return null;
  const columns = plainColumns(MERGES, COLUMNS, { entity: { collation: 'C' } });
  const index = (column: (typeof COLUMNS)[number][0]) =>
    ({ columns: [idOf(column)], unique: false, method: 'btree', whereNull: null }) as const;
  return {
    id: MERGES,
    name: MERGES,
    label: 'Merged records',
    entity: USER_ENTITY,
    history: false,
    aside: false,
    columns,
    primaryKey: { name: primaryKeyName(MERGES), column: idOf('record') },
    checks: {},
    references: { [referenceName(idOf('actor'))]: { column: idOf('actor'), table: user.id, onDelete: 'clear' } },
    indexes: { [indexName(idOf('winner'))]: index('winner'), [indexName(idOf('actor'))]: index('actor') },
    triggers: {},
    ...access(context, entities),
  };
}

/** Whoever may read the record that others became may know which they were. */
function access(context: Context, entities: readonly Entity[]): Pick<TableState, 'policies' | 'grants'> {
  const { names } = context.tenant;
  const grant: GrantState = { select: 'all', insert: [], update: [], delete: false };
  const grants: Record<string, GrantState> = { [names.system]: grant };
  const policies: Policies = {
    ...ownerPolicy(),
    system: { role: names.system, command: 'select', using: 'true', check: null },
  };
  const merges = quote(MERGES);
  for (const role of context.roles) {
    const using = anyOf(
      entities.flatMap((entity) => {
        const rows = rowsOf(context, entity, ownRights(context.model, entity, role).read, '"r".');
        if (rows === null) return [];
        const also = rows === 'true' ? '' : ` and ${rows}`;
        return [
          `(${merges}."entity" = ${literal(entity.id)} and exists (select from ${tableOf(context, entity)} "r" where "r"."id" = ${merges}."winner"${also}))`,
        ];
      }),
    );
    if (using === null) continue;
    grants[names.role(role.key)] = grant;
    policies[`read_${role.key}`] = { role: names.role(role.key), command: 'select', using, check: null };
  }
  return { policies, grants };
}
