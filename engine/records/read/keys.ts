/** Unique keys as addresses of records. */
import type { Entity, Field, UniqueKey } from '../../model/model.ts';
import type { Scope } from '../scope.ts';
import { accessOf } from './shapes.ts';

/** A unique key by which records are found, with its fields. */
export interface Key {
  readonly unique: UniqueKey;
  readonly fields: readonly Field[];
}

/** The unique keys that clients may name records by: of fields that they may see and can give. */
export function keysOf(scope: Scope, entity: Entity): readonly Key[] {
  const { visible } = accessOf(scope).of(entity);
  return entity.unique.flatMap((unique): Key[] => {
    const fields = unique.fields.flatMap((name) => entity.fields.get(name) ?? []);
    const usable = fields.every((field) => visible(field) && !field.system && !field.readOnly && field.column !== null);
    return usable && fields.length === unique.fields.length ? [{ unique, fields }] : [];
  });
}

/** The unique key of exactly these fields; `null` when there is none that the principal could use. */
export function findKey(scope: Scope, entity: Entity, names: readonly string[]): Key | null {
  const wanted = [...new Set(names)].sort().join();
  return keysOf(scope, entity).find(({ unique }) => [...unique.fields].sort().join() === wanted) ?? null;
}
