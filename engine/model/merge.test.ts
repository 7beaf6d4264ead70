import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isObject } from './documents.ts';
import { isKeyedList, merge, same } from './merge.ts';

const leaf = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('a', 'b', 'c'), fc.boolean(), fc.constant(null));
const names = fc.constantFrom('label', 'max', 'fields', 'items', 'deep', 'x');
const { json } = fc.letrec<{ json: unknown; object: unknown; list: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('object'),
    tie('list'),
    fc.array(leaf, { maxLength: 3 }),
  ),
  object: fc.dictionary(names, tie('json'), { maxKeys: 4, noNullPrototype: true }),
  list: fc.uniqueArray(
    fc
      .tuple(
        fc.constantFrom('k1', 'k2', 'k3', 'k4'),
        fc.dictionary(names, tie('json'), { maxKeys: 3, noNullPrototype: true }),
      )
      .map(([key, more]) => ({
        key,
        ...more,
      })),
    { selector: ({ key }) => key, maxLength: 4 },
  ),
}));

/** Every place where a value stands that is no container, and the empty containers. */
function leaves(value: unknown, at = '', found = new Map<string, unknown>()): ReadonlyMap<string, unknown> {
  if (isKeyedList(value) && value.length > 0) for (const one of value) leaves(one, `${at}/${one.key}`, found);
  else if (isObject(value) && Object.keys(value).length > 0)
    for (const [key, inner] of Object.entries(value)) leaves(inner, `${at}/${key}`, found);
  else found.set(at, value);
  return found;
}

const covered = (conflicts: readonly { pointer: string }[], at: string) =>
  conflicts.some(({ pointer }) => at === pointer || at.startsWith(`${pointer}/`) || pointer.startsWith(`${at}/`));

describe('the merge', () => {
  test('of the same is the same, and of one side’s changes that side', () => {
    fc.assert(
      fc.property(json, json, (base, changed) => {
        expect(merge(base, changed, changed)).toEqual({ value: changed, conflicts: [] });
        expect(merge(base, changed, base)).toEqual({ value: changed, conflicts: [] });
        expect(merge(base, base, changed)).toEqual({ value: changed, conflicts: [] });
      }),
      { numRuns: 500 },
    );
  });

  test('does not care which side is which, where nobody disagrees', () => {
    fc.assert(
      fc.property(json, json, json, (base, ours, theirs) => {
        const one = merge(base, ours, theirs);
        const other = merge(base, theirs, ours);
        expect(other.conflicts.map(({ pointer }) => pointer).sort()).toEqual(
          one.conflicts.map(({ pointer }) => pointer).sort(),
        );
        if (one.conflicts.length > 0) return;
        // To the last byte: order is a value too.
        expect(JSON.stringify(other.value)).toBe(JSON.stringify(one.value));
      }),
      { numRuns: 2000 },
    );
  });

  test('never drops an edit: it is in the result, or in a conflict', () => {
    fc.assert(
      fc.property(json, json, json, (base, ours, theirs) => {
        const { value, conflicts } = merge(base, ours, theirs);
        const [before, result] = [leaves(base), leaves(value)];
        for (const side of [ours, theirs]) {
          const now = leaves(side);
          for (const [at, edited] of now) {
            if (before.has(at) && same(before.get(at), edited)) continue;
            expect(covered(conflicts, at) || same(result.get(at), edited) || isEmptied(edited, result, at)).toBe(true);
          }
          for (const at of before.keys())
            if (!now.has(at))
              expect(
                covered(conflicts, at) ||
                  !result.has(at) ||
                  same(result.get(at), now.get(at)) ||
                  otherSide(at, [ours, theirs], result),
              ).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('takes what was decided, and then has no conflict left', () => {
    fc.assert(
      fc.property(json, json, json, (base, ours, theirs) => {
        const taken = merge(base, ours, theirs, { decide: () => 'theirs' });
        expect(taken.conflicts).toEqual([]);
        const { conflicts } = merge(base, ours, theirs);
        for (const { pointer, theirs: wish } of conflicts)
          if (!pointer.endsWith('/-') && !isObject(wish) && !Array.isArray(wish) && wish !== undefined)
            expect(leaves(taken.value).get(pointer)).toEqual(wish);
      }),
      { numRuns: 1000 },
    );
  });
});

/** An empty container that the other side has filled is there all the same. */
function isEmptied(edited: unknown, result: ReadonlyMap<string, unknown>, at: string): boolean {
  return typeof edited === 'object' && [...result.keys()].some((place) => place.startsWith(`${at}/`));
}

/** An empty container of before that came back, because one side took out everything that the other side's was in. */
function otherSide(at: string, sides: readonly unknown[], result: ReadonlyMap<string, unknown>): boolean {
  return sides.some((side) => leaves(side).has(at)) || typeof result.get(at) === 'object';
}

describe('elements with keys', () => {
  const fields = (...keys: readonly string[]) => keys.map((key) => ({ key }));
  test('that both sides add stand behind what they were added behind', () => {
    expect(merge(fields('a', 'b'), fields('a', 'x', 'b'), fields('a', 'b', 'y')).value).toEqual(
      fields('a', 'x', 'b', 'y'),
    );
    expect(merge(fields('a'), fields('a', 'p'), fields('a', 'o')).value).toEqual(fields('a', 'o', 'p'));
  });
  test('that one side moves and the other changes are moved and changed', () => {
    expect(merge(fields('a', 'b'), fields('b', 'a'), [{ key: 'a', label: 'A' }, { key: 'b' }])).toEqual({
      value: [{ key: 'b' }, { key: 'a', label: 'A' }],
      conflicts: [],
    });
  });
  test('that one side removes and the other changes are a conflict', () => {
    const { conflicts } = merge(fields('a', 'b'), fields('a'), [{ key: 'a' }, { key: 'b', label: 'B' }]);
    expect(conflicts).toEqual([
      { pointer: '/b', base: { key: 'b' }, ours: undefined, theirs: { key: 'b', label: 'B' } },
    ]);
  });
  test('that both sides move differently are a conflict about their order', () => {
    const { value, conflicts } = merge(fields('a', 'b', 'c'), fields('c', 'a', 'b'), fields('b', 'a', 'c'));
    expect(value).toEqual(fields('c', 'a', 'b'));
    expect(conflicts).toMatchObject([{ pointer: '/-', theirs: ['b', 'a', 'c'] }]);
    expect(
      merge(fields('a', 'b', 'c'), fields('c', 'a', 'b'), fields('b', 'a', 'c'), { decide: () => 'theirs' }).value,
    ).toEqual(fields('b', 'a', 'c'));
  });
});
