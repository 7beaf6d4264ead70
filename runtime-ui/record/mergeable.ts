/** Which fields of records that are merged there is anything to choose about. */
import type { UiField } from '../../engine/api/ui-model.ts';
import { writable } from '../form/wire.ts';

/** What is encrypted or a file is its record’s and is not carried over; parts and links come along by themselves. */
const STAYING: ReadonlySet<string> = new Set(['encrypted', 'file', 'image']);

export function mergeable(field: UiField): boolean {
  return writable(field, 'update') && !field.children && !field.list && !STAYING.has(field.type);
}
