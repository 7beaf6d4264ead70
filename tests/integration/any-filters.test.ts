/** Filters by the record that a reference to one of several entities points at, for readers who see parts of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import { parseJsonQuery } from '#engine/records/query/json.ts';
import { Reader } from '#engine/records/read/reader.ts';
import type { Scope } from '#engine/records/scope.ts';
import { Writer } from '#engine/records/write/writer.ts';
import { type Lab, makeLab } from '#tests/support/lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';

const database = await testDatabase();
const named = (key: string, more: object = {}) => ({
  kind: 'entity',
  key,
  plural: `${key}s`,
  label: key,
  ...more,
  fields: [{ key: 'name', type: 'text' }],
});
const everything = ['create', 'read', 'update', 'delete'];
let lab: Lab;
let reader: Reader;
let chief: Scope;
const ids: Record<string, string> = {};

beforeAll(async () => {
  lab = await makeLab(database, {
    documents: [
      ...['chief', 'masked', 'boxless'].map((key) => ({ kind: 'role', key, label: key, inherits: ['member'] })),
      named('box', { softDelete: true }),
      named('crate'),
      {
        kind: 'entity',
        key: 'label',
        plural: 'labels',
        label: 'Label',
        fields: [
          { key: 'name', type: 'text' },
          { key: 'about', type: 'any_reference', to: ['box', 'crate'] },
        ],
      },
      ...['box', 'crate', 'label'].map((entity) => ({
        kind: 'permission',
        role: 'chief',
        entity,
        actions: everything,
      })),
      ...['box', 'crate'].map((entity) => ({ kind: 'permission', role: 'masked', entity, actions: ['read'] })),
      // Everything of labels called open, and of the others the name.
      { kind: 'permission', role: 'masked', entity: 'label', actions: ['read'], condition: { name: 'open' } },
      {
        kind: 'permission',
        role: 'masked',
        key: 'names',
        entity: 'label',
        actions: ['read'],
        fields: { read: { only: ['name'] } },
      },
      ...['crate', 'label'].map((entity) => ({ kind: 'permission', role: 'boxless', entity, actions: ['read'] })),
    ],
  });
  chief = await lab.person('chief');
  const { database: pool } = lab;
  const writer = new Writer({ database: pool, ids: systemIds, clock: systemClock });
  reader = new Reader({ database: pool, secret: database.secret, clock: systemClock });
  const add = async (entity: string, body: object) => (await writer.create(chief, lab.entity(entity), body)).id ?? '';
  for (const [name, entity] of [
    ['box', 'box'],
    ['gone', 'box'],
    ['crate', 'crate'],
  ] as const) {
    const id = (ids[name] = await add(entity, { name }));
    for (const label of ['open', 'closed']) await add('label', { name: label, about: { entity: `lab.${entity}`, id } });
  }
  // As it is after a merge: into the bin, whatever refers to it.
  await lab.look(`update ${lab.tenant.names.schema}.lab_boxs set deleted_at = now() where id = $1`, [ids['gone']]);
});
afterAll(() => lab.close());

async function found(scope: Scope, where: object): Promise<readonly string[]> {
  const query = parseJsonQuery({ where, select: ['name'], order: ['name'] });
  const { body } = await reader.list(scope, lab.entity('label'), query);
  return JSON.parse(body).data.map(({ name }: { name: string }) => name);
}

const BOTH = ['closed', 'open'];
test.each<[string, Readonly<Record<string, readonly (readonly string[])[]>>]>([
  // By the box, the one in the bin, the crate, any of the three, and not by the box.
  ['chief', { rows: [BOTH, [], BOTH, [...BOTH, ...BOTH].sort(), [...BOTH, ...BOTH].sort()] }],
  ['masked', { rows: [['open'], [], ['open'], ['open', 'open'], ['closed', 'closed', 'closed', 'open', 'open']] }],
  ['boxless', { rows: [[], [], BOTH, BOTH, [...BOTH, ...BOTH, ...BOTH].sort()] }],
])('the %s finds what is shown to them', async (role, { rows }) => {
  const { box, gone, crate } = ids;
  for (const predicates of [true, false]) {
    const scope = { ...(await lab.person(role)), predicates };
    const asked = [
      await found(scope, { about_id: box }),
      await found(scope, { about_id: gone }),
      await found(scope, { about: { id: crate } }),
      await found(scope, { about_id: { in: [box, gone, crate] } }),
      await found(scope, { not: { about_id: box } }),
    ];
    expect([predicates, asked]).toEqual([predicates, rows]);
  }
  const scope = await lab.person(role);
  // Said twice it is one test, looked up in two references: not the text for two records.
  const either = (...about: unknown[]) => found(scope, { or: about.map((id) => ({ about_id: id })) });
  expect(await either(crate, crate)).toEqual(rows?.[2]);
  expect(await either(gone, box)).toEqual(rows?.[0]);
  expect(await either(box, gone)).toEqual(rows?.[0]);
  // Asked twice: the second time its text is known.
  for (const times of [1, 2]) {
    // Who reads no boxes knows of no reference to one.
    const byBox = (id = '') => found(scope, { about_box: id }).catch((error: unknown) => error);
    const unknown = expect.objectContaining({ code: 'unknown_field' });
    expect([times, await byBox(box)]).toEqual([times, role === 'boxless' ? unknown : rows?.[0]]);
    expect([times, await byBox(gone)]).toEqual([times, role === 'boxless' ? unknown : []]);
  }
});
