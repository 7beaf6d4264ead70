/**
 * The three-way merge: what two sides have made of one base becomes one document, and where both have changed the same
 * thing differently, nobody's wish is dropped: it is a conflict, with both. Upgrades of packs and drafts of several
 * people are merged by it.
 *
 * Objects are merged property by property, lists whose elements have a `key` element by element; other values are
 * taken whole. It is symmetrical but for conflicts, where `ours` stands until somebody decides.
 */
import { isDeepStrictEqual } from 'node:util';
import { isObject } from './documents.ts';
import { pointer } from './faults.ts';

/** `undefined` stands for "not there". */
export interface Conflict {
  /** JSON Pointer; an element of a keyed list is named by its key: `/fields/amount/label`. */
  readonly pointer: string;
  readonly base: unknown;
  readonly ours: unknown;
  readonly theirs: unknown;
}

/** Which side a conflict is decided for, by its pointer. */
export type Decide = (conflict: Conflict) => 'ours' | 'theirs' | undefined;

export interface Merged {
  /** With `ours` where nobody has decided. `undefined`: removed. */
  readonly value: unknown;
  /** Those nobody has decided. */
  readonly conflicts: readonly Conflict[];
}

export interface MergeOptions {
  readonly decide?: Decide;
  /** Properties that are only taken whole. */
  readonly whole?: ReadonlySet<string>;
}

type Json = Readonly<Record<string, unknown>>;

export function merge(base: unknown, ours: unknown, theirs: unknown, options: MergeOptions = {}): Merged {
  const walk = new Walk(options);
  const value = walk.value(base, ours, theirs, '');
  return { value, conflicts: walk.conflicts };
}

/** Whether both are the same JSON, whatever the order of properties. */
export function same(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b);
}

class Walk {
  readonly conflicts: Conflict[] = [];
  readonly #decide: Decide;
  readonly #whole: ReadonlySet<string>;

  constructor({ decide = () => undefined, whole = new Set() }: MergeOptions) {
    this.#decide = decide;
    this.#whole = whole;
  }

  value(base: unknown, ours: unknown, theirs: unknown, at: string, whole = false): unknown {
    if (same(ours, theirs) || same(base, theirs)) return ours;
    if (same(base, ours)) return theirs;
    if (!whole) {
      // What both have added is merged as if it had been empty before.
      if (isObject(ours) && isObject(theirs) && (base === undefined || isObject(base)))
        return this.#object(base ?? {}, ours, theirs, at);
      if (isKeyedList(ours) && isKeyedList(theirs) && (base === undefined || isKeyedList(base)))
        return this.#list(base ?? [], ours, theirs, at);
    }
    return this.#conflict({ pointer: at, base, ours, theirs });
  }

  #conflict(conflict: Conflict): unknown {
    const decided = this.#decide(conflict);
    if (decided === undefined) this.conflicts.push(conflict);
    return decided === 'theirs' ? conflict.theirs : conflict.ours;
  }

  #object(base: Json, ours: Json, theirs: Json, at: string): Json {
    const merged = new Map<string, unknown>();
    const [before, here, there] = [Object.keys(base), Object.keys(ours), Object.keys(theirs)];
    let order = mergedOrder(before, here, there);
    // The order of properties means nothing: where both have changed it, it is that of before.
    if (order.conflict) order = { keys: before, conflict: false };
    for (const key of new Set([...order.keys, ...[...here, ...there].sort()])) {
      const value = this.value(
        own(base, key),
        own(ours, key),
        own(theirs, key),
        pointer(at, key),
        this.#whole.has(key),
      );
      if (value !== undefined) merged.set(key, value);
    }
    return Object.fromEntries(merged);
  }

  #list(base: readonly Keyed[], ours: readonly Keyed[], theirs: readonly Keyed[], at: string): readonly unknown[] {
    const sides = [base, ours, theirs].map((list) => new Map(list.map((element) => [element.key, element])));
    const [inBase, inOurs, inTheirs] = sides;
    const [ofBase, ofOurs, ofTheirs] = [base, ours, theirs].map((list) => list.map(({ key }) => key));
    const order = mergedOrder(ofBase ?? [], ofOurs ?? [], ofTheirs ?? []);
    let { keys } = order;
    if (order.conflict) {
      // Both have moved what was there, in different ways: where things stand is a wish too.
      const wish = this.#conflict({ pointer: pointer(at, '-'), base: ofBase, ours: ofOurs, theirs: ofTheirs });
      if (wish === ofTheirs) ({ keys } = mergedOrder(ofBase ?? [], ofTheirs ?? [], ofBase ?? []));
      keys = [...new Set([...keys, ...order.keys])];
    }
    return keys.flatMap((key) => {
      const value = this.value(inBase?.get(key), inOurs?.get(key), inTheirs?.get(key), pointer(at, key));
      return value === undefined ? [] : [value];
    });
  }
}

const own = (object: Json, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

interface Keyed extends Json {
  readonly key: string;
}

/** A list whose elements are told apart by `key`, none twice. An empty one is too. */
export function isKeyedList(value: unknown): value is readonly Keyed[] {
  return (
    Array.isArray(value) &&
    value.every((element) => isObject(element) && typeof element['key'] === 'string') &&
    new Set(value.map((element: Keyed) => element.key)).size === value.length
  );
}

/**
 * The order of everything either side has: what all three have in the order of the side that moved it, the rest behind
 * what it stands behind on its side, and where both sides put something in one place by its key.
 * `conflict`: both sides moved things, differently; then it is ours.
 */
export function mergedOrder(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
): { readonly keys: readonly string[]; readonly conflict: boolean } {
  const [inBase, inOurs, inTheirs] = [new Set(base), new Set(ours), new Set(theirs)];
  // Only what all three have can have been moved.
  const isShared = (key: string) => inBase.has(key) && inOurs.has(key) && inTheirs.has(key);
  const [before, here, there] = [base, ours, theirs].map((list) => list.filter(isShared));
  const movedHere = !same(before, here);
  const conflict = movedHere && !same(before, there) && !same(here, there);
  const fixed = (movedHere ? here : there) ?? [];
  const index = new Map(fixed.map((key, position) => [key, position]));

  // Behind which of the fixed ones the others stand; -1 is the very beginning.
  const slotOf = new Map<string, number>();
  const standsBehind = new Map<string, Set<string>>();
  for (const list of [ours, theirs]) {
    let slot = -1;
    const passed: string[] = [];
    for (const key of list) {
      const position = index.get(key);
      if (position !== undefined) {
        slot = position;
        continue;
      }
      slotOf.set(key, Math.max(slot, slotOf.get(key) ?? -1));
      standsBehind.set(key, new Set([...(standsBehind.get(key) ?? []), ...passed]));
      passed.push(key);
    }
  }
  const slots = Map.groupBy(slotOf.keys(), (key) => slotOf.get(key) ?? -1);
  const group = (slot: number) => inTurn(slots.get(slot) ?? [], (key) => standsBehind.get(key) ?? new Set());
  return { keys: [...group(-1), ...fixed.flatMap((key, position) => [key, ...group(position)])], conflict };
}

/** Each behind those it has to stand behind; the smallest key first where there is a choice, or no way out of a circle. */
function inTurn(keys: readonly string[], behind: (key: string) => ReadonlySet<string>): readonly string[] {
  const left = new Set([...keys].sort());
  const turn: string[] = [];
  while (left.size > 0) {
    const next = [...left].find((key) => ![...behind(key)].some((other) => left.has(other))) ?? [...left][0] ?? '';
    left.delete(next);
    turn.push(next);
  }
  return turn;
}
