/** Sentences that several kinds of change share: equal titles are one step of a plan. */
import { fieldOf } from './names.ts';
import type { ColumnState, TableState } from './state.ts';

export const addField = (column: ColumnState, table: TableState): string =>
  `Add ${column.generated === null ? 'field' : 'computed field'} ${column.label} to ${table.label}`;

export const removeField = (column: ColumnState, table: TableState): string =>
  `Remove ${column.generated === null ? 'field' : 'the computed field'} ${column.label} from ${table.label}`;

export const returnField = (column: ColumnState, table: TableState): string =>
  `Bring back field ${column.label} of ${table.label}`;

export const convertField = (label: string, table: TableState): string =>
  `Change the type of ${label} of ${table.label}`;

/**
 * What belongs to a single field that comes or goes is part of that step.
 * @returns `otherwise` for fields that stay, and for several fields
 */
export function fieldTitle(before: TableState, after: TableState, ids: readonly string[], otherwise: string): string {
  const [id, ...more] = ids.filter((one) => !stays(before, after, one));
  if (id === undefined || more.length > 0) return otherwise;
  const [old, now] = [before.columns[id], after.columns[id]];
  const label = (now ?? old)?.label;
  if (label !== undefined && isConverted(before, after, id)) return convertField(label, after);
  if (now && !now.aside) return old === undefined ? addField(now, after) : returnField(now, after);
  return old ? removeField(old, after) : otherwise;
}

/** It gives its place to a column of another type, or takes that place. */
function isConverted(before: TableState, after: TableState, id: string): boolean {
  if (fieldOf(id) !== id) return true;
  return Object.keys(after.columns).some(
    (other) => other !== id && fieldOf(other) === id && before.columns[other]?.aside === false,
  );
}

function stays(before: TableState, after: TableState, id: string): boolean {
  const [old, now] = [before.columns[id], after.columns[id]];
  return old !== undefined && now !== undefined && old.aside === now.aside;
}
