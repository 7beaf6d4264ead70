import { isObject } from '../api/problem.ts';

/** A record chosen by its title. */
export interface Picked {
  readonly id: string;
  readonly _title?: string;
}

export function pickedOf(value: unknown): Picked | null {
  if (!isObject(value) || typeof value['id'] !== 'string') return null;
  return typeof value['_title'] === 'string' ? { id: value['id'], _title: value['_title'] } : { id: value['id'] };
}
