/** Records in the cell of a file: by their titles, or by their ids where no title was asked for. */
import type { Value } from '../value-type.ts';

/** @param value JSON of a record or of a list of records: `[{"id","_title"}]` */
export function namesOf(value: Value): string {
  if (typeof value !== 'string') return String(value);
  const json: unknown = JSON.parse(value);
  return (Array.isArray(json) ? json : [json]).map(nameOf).join('; ');
}

function nameOf(record: unknown): string {
  if (typeof record !== 'object' || record === null) return String(record);
  const name: unknown = Reflect.get(record, '_title') ?? Reflect.get(record, 'id');
  return typeof name === 'string' ? name : '';
}
