/** Names of columns' companions in the database. They are made of immutable ids, so that a rename changes none of them. */
import { createHash } from 'node:crypto';
import { fit } from '../db/identifiers.ts';
import type { Entity, Field, UniqueKey } from '../model/model.ts';

export const historyTableId = (entity: Entity): string => `h_${entity.id}`;
export const historyTableName = (entity: Entity): string => fit(`h_${entity.table}`);

export const linkTableId = (field: Field): string => `l_${field.id}`;

export const primaryKeyName = (tableId: string): string => fit(`pk_${tableId}`);
export const notNullName = (column: string): string => fit(`nn_${fieldOf(column)}`);
export const checkName = (column: string, suffix: string): string => fit(`ck_${column}_${suffix}`);
export const referenceName = (column: string): string => fit(`fk_${column}`);
export const indexName = (column: string): string => fit(`ix_${column}`);
/** One of all texts of an entity that are searched. */
export const searchIndexName = (entity: Entity): string => fit(`sx_${entity.id}`);
export const searchFunctionName = (entity: Entity, role: string): string => fit(`search_${entity.id}_${role}`);
export const uniqueKeyName = (key: UniqueKey): string => fit(`uq_${key.id}`);
/** Of a table, by its id: `month` is `202601`, or `rest` for what belongs to no month that is there. */
export const partitionName = (tableId: string, month: string): string => fit(`p_${tableId}_${month}`);
export const lifecycleName = (column: string): string => fit(`lc_${column}`);
/** Fields that draw from a named sequence share it; the others have one of their own. */
export function sequenceId(field: Field, column: string): string {
  const { sequence } = field.options;
  if (typeof sequence !== 'string') return column;
  return `s_${createHash('sha256').update(sequence).digest('hex').slice(0, 12)}`;
}
export const sequenceName = (column: string): string => fit(`sq_${column}`);
/** What a removed column or table is called until it is purged or comes back. */
export const asideName = (id: string): string => fit(`zz_${id}`);

/** A field's values as another type had them are kept under the field's id and a mark of that type. */
export const shapeId = (field: string, mark: string): string => `${field}~${mark}`;
/** A column of computed values that gives its place to one of another type, and is not kept. */
export const spentId = (column: string): string => shapeId(column, 'spent');
export const isSpent = (column: string): boolean => column.endsWith('~spent');
/** The field a column belongs to, whatever type it has. */
export const fieldOf = (column: string): string => column.split('~')[0] ?? column;
/** While a column is filled that takes another one's place: its values, and the versions they were made from. */
export const comingName = (column: string): string => fit(`zz_n_${column}`);
export const comingVersionName = (column: string): string => fit(`zz_v_${column}`);
/** The names by which its references were found. */
export const comingNamesName = (column: string): string => fit(`zz_m_${column}`);
export const comingIndexName = (column: string): string => fit(`zz_q_${column}`);
