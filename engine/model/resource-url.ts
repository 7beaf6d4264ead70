/** Where the records of an entity are found over HTTP. */
import type { Entity } from './model.ts';

/** @returns e.g. `/api/crm/v1/opportunities` */
export function resourceUrl({ pack, plural }: Pick<Entity, 'pack' | 'plural'>): string {
  return `/api/${pack}/v1/${plural}`;
}
