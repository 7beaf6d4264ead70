/** Values that nobody can change by accident: what everything shares must not be anyone's to alter. */

function refuse(): never {
  throw new TypeError('this part of the model is frozen');
}

const REFUSALS = { value: refuse, enumerable: false, writable: false, configurable: false } as const;

/** A Map that refuses changes, with its values frozen all the way down. */
export function frozenMap<K, V>(entries: Iterable<readonly [K, V]>): ReadonlyMap<K, V> {
  const map = new Map(entries);
  for (const value of map.values()) deepFreeze(value);
  Object.defineProperties(map, { set: REFUSALS, delete: REFUSALS, clear: REFUSALS });
  return Object.freeze(map);
}

/** A Set that refuses changes. */
export function frozenSet<V>(values: Iterable<V>): ReadonlySet<V> {
  const set = new Set(values);
  Object.defineProperties(set, { add: REFUSALS, delete: REFUSALS, clear: REFUSALS });
  return Object.freeze(set);
}

/** Freezes plain objects and lists all the way down. Maps and Sets are made frozen by the two functions above. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
