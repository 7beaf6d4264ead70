/** JSON fields under `application/merge-patch+json`, in Postgres. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FieldLab, makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { parseUrlQuery } from '../query/url.ts';
import { isObject } from './validate.ts';

const database = await testDatabase();
let lab: FieldLab;
beforeAll(async () => {
  lab = await makeFieldLab(
    database,
    [
      { key: 'code', type: 'text', unique: true },
      { key: 'js', type: 'json' },
    ],
    [
      { kind: 'role', key: 'blind', label: 'Blind', inherits: ['member'] },
      {
        kind: 'permission',
        role: 'blind',
        entity: 'lab.thing',
        actions: ['read', 'update'],
        fields: { read: { except: ['js'] }, update: { only: ['js'] } },
      },
    ],
  );
});
afterAll(() => lab.close());

const entity = () => lab.lab.entity('thing');
const PATCH = { mergePatch: true } as const;
const dataOf = ({ body }: { readonly body: string | null }): Record<string, unknown> =>
  (JSON.parse(body ?? '{}') as { data: Record<string, unknown> }).data;
const patch = async (id: string, js: unknown, options: object = {}) =>
  dataOf(await lab.writer.update(lab.chief, entity(), id, { js }, { ...PATCH, ...options }));

/** RFC 7396 §2, word for word. */
function mergePatch(target: unknown, change: unknown): unknown {
  if (!isObject(change)) return change;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

describe('a JSON field', () => {
  test('is merged into by a merge patch, and replaced by a change in JSON', async () => {
    const { id } = await lab.create({ name: 'x', js: { b: 2, d: { e: 1, f: [1] } } });
    expect(await patch(id, { b: null, c: 3, d: { e: null } })).toMatchObject({
      js: { c: 3, d: { f: [1] } },
      version: 2,
    });
    expect(await patch(id, { c: 3, none: null })).toMatchObject({ version: 2 });
    expect(await lab.update(id, { js: { b: null, c: 3 } })).toMatchObject({ js: { b: null, c: 3 }, version: 3 });
    expect(await patch(id, [1])).toMatchObject({ js: [1] });
    expect(await patch(id, { a: { b: null } })).toMatchObject({ js: { a: {} } });
    expect(await patch(id, null)).toMatchObject({ js: null });
    expect(await patch(id, { a: 1 })).toMatchObject({ js: { a: 1 } });
  });

  test('is merged under the version that was read, and for nobody on trial', async () => {
    const { id } = await lab.create({ name: 'x', js: { a: 1 } });
    expect(await patch(id, { b: 2 }, { ifMatch: 1, dryRun: true })).toMatchObject({ js: { a: 1, b: 2 } });
    expect(await patch(id, { c: 3 }, { ifMatch: 1 })).toMatchObject({ js: { a: 1, c: 3 } });
    await expect(patch(id, { d: 4 }, { ifMatch: 1 })).rejects.toMatchObject({ code: 'precondition_failed' });
  });

  test('is merged on many records, and by key, where null leaves nothing on a new one', async () => {
    await lab.writer.create(lab.chief, entity(), [
      { name: 'many', js: { a: 1 } },
      { name: 'many', js: { b: { c: 2 } } },
    ]);
    const which = parseUrlQuery('name=many');
    await lab.writer.updateMany(lab.chief, entity(), which, { js: { a: null, b: { d: 3 } } }, PATCH);
    const stored = await lab.list('name=many&$select=js&$order=id');
    expect(stored).toEqual([{ js: { b: { d: 3 } } }, { js: { b: { c: 2, d: 3 } } }]);
    const put = async (js: object) =>
      dataOf(await lab.writer.upsert(lab.chief, entity(), ['code'], { code: 'k', name: 'x', js }, PATCH));
    expect(await put({ a: null, b: { c: null, d: 1 } })).toMatchObject({ js: { b: { d: 1 } } });
    expect(await put({ b: { d: null } })).toMatchObject({ js: { b: {} } });
  });

  test('that may be written and not read is replaced alone', async () => {
    const { id } = await lab.create({ name: 'x', js: { a: 1 } });
    const blind = await lab.lab.person('blind');
    const write = (options: object) => lab.writer.update(blind, entity(), id, { js: { b: 2 } }, options);
    expect(await lab.refused(write(PATCH))).toEqual(['read_only /js']);
    await write({});
    expect(await lab.one(id)).toMatchObject({ js: { b: 2 } });
  });
});

test('Postgres merges as the RFC says', async () => {
  const json = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, fc.constantFrom(null, 1, 'x', true, [null, { a: null }]), tie('object')),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', ''), tie('value')),
  }));
  await fc.assert(
    fc.asyncProperty(json.value, json.object, async (target, change) => {
      const [row] = await lab.lab.look('select armature.merge_patch($1::jsonb, $2::jsonb) as merged', [
        JSON.stringify(target),
        JSON.stringify(change),
      ]);
      expect(row?.['merged']).toEqual(mergePatch(target, change));
    }),
    { numRuns: 100 },
  );
});
