/** The history of an entity: one row for each field that a write changed. Written by the trigger, read under policies. */
import { fit } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import { plainColumns } from './columns.ts';
import type { Context } from './context.ts';
import { historyGrants } from './grants.ts';
import { historyTableId, historyTableName, indexName, primaryKeyName } from './names.ts';
import { historyPolicies } from './policies.ts';
import type { TableState } from './state.ts';

const COLUMNS = [
  ['id', 'bigint', true],
  ['record_id', 'uuid', true],
  ['version', 'integer', true],
  ['field_id', 'text', true],
  ['old', 'jsonb', false],
  ['new', 'jsonb', false],
  ['at', 'timestamptz(3)', true],
  ['actor', 'uuid', false],
] as const;

export function historyTable(context: Context, entity: Entity): TableState {
  const id = historyTableId(entity);
  const name = historyTableName(entity);
  const column = (key: string): string => `${id}_${key}`;
  const columns = plainColumns(id, COLUMNS, { id: { identity: fit(`sq_${id}`) } });
  return {
    id,
    name,
    label: `History of ${entity.label}`,
    entity: entity.name,
    history: true,
    aside: false,
    columns,
    primaryKey: { name: primaryKeyName(id), column: column('id') },
    checks: {},
    references: {},
    indexes: {
      [indexName(column('record_id'))]: {
        // Read newest version first.
        columns: [column('record_id'), column('version')],
        unique: false,
        method: 'btree',
        whereNull: null,
      },
    },
    triggers: {},
    policies: historyPolicies(context, entity, name),
    grants: historyGrants(context, entity),
  };
}
