import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Problem } from '#engine/problem.ts';
import { refusal } from '#tests/support/refusal.ts';
import { dataIn, writingLab } from '#tests/support/writing-lab.ts';
import type { Scope } from '../scope.ts';

const { lab, writer, chief, worker, schema, project } = await writingLab();

const name = () => randomUUID().slice(0, 12);
const pointers = ({ errors }: Problem) => errors.map(({ pointer }) => pointer);
/** Labels of a project's items with the sizes of their screws. */
const items = async (id: string | undefined) =>
  (
    await lab.look(
      `select i.id, i.label, i.pieces, (select string_agg(s.size, ',' order by s.size) from ${schema}.lab_screws s where s.item = i.id) as screws
       from ${schema}.lab_items i where i.project = $1 order by i.label`,
      [id],
    )
  ).map((row) => ({ ...row, id: String(row['id']) }));
const shape = async (id: string | undefined) =>
  (await items(id)).map((row) => `${String(Reflect.get(row, 'label'))}:${String(Reflect.get(row, 'screws') ?? '')}`);
const make = async (scope: Scope, values: Record<string, unknown> = {}) =>
  (await writer.create(scope, project(), { name: 'x', ...values })).id ?? '';

describe('parts of parts', () => {
  test('are created with their whole, as lists or as commands', async () => {
    const id = await make(worker, {
      items: {
        create: [
          { label: 'a', screws: [{ size: '1' }, { size: '2' }] },
          { label: 'b', screws: { create: [{ size: '3' }] } },
        ],
      },
    });
    expect(await shape(id)).toEqual(['a:1,2', 'b:3']);
    const problem = await refusal(
      writer.create(worker, project(), {
        name: 'x',
        items: { create: [{ label: 'a', screws: { update: [], create: [{}] } }], delete: ['x'] },
      }),
    );
    expect(pointers(problem)).toEqual([
      '/items/delete',
      '/items/create/0/screws/update',
      '/items/create/0/screws/create/0/size',
    ]);
  });

  test('change with their whole at every level, and raise its version once', async () => {
    const id = await make(worker, {
      items: [
        { label: 'a', screws: [{ size: '1' }, { size: '2' }] },
        { label: 'b', screws: [{ size: '3' }] },
      ],
    });
    const [a, b] = await items(id);
    const sizes = await lab.look(`select id, size from ${schema}.lab_screws where item = $1 order by size`, [a?.id]);
    const result = await writer.update(worker, project(), id, {
      items: {
        create: [{ label: 'c', screws: [{ size: '9' }] }],
        update: [
          {
            id: a?.id,
            screws: {
              create: [{ size: '4' }],
              update: [{ id: sizes[0]?.['id'], size: '0' }],
              delete: [sizes[1]?.['id']],
            },
          },
          { id: b?.id, label: 'bb' },
        ],
      },
    });
    expect(result.version).toBe(2);
    expect(await shape(id)).toEqual(['a:0,4', 'bb:3', 'c:9']);
  });

  test('are refused under a part of another record, hidden or not', async () => {
    for (const predicates of [true, false]) {
      const who = { ...worker, predicates };
      const [mine, other, hidden] = [
        await make(worker, { items: [{ label: 'a' }] }),
        await make(worker, { items: [{ label: 'b', screws: [{ size: '1' }] }] }),
        await make(chief, { items: [{ label: 'c', screws: [{ size: '1' }] }] }),
      ];
      for (const foreign of [other, hidden]) {
        const [part] = await items(foreign);
        const within = { items: { update: [{ id: part?.id, screws: { create: [{ size: '7' }] } }] } };
        const problem = await refusal(writer.update(who, project(), mine, within));
        expect([problem.code, pointers(problem)]).toEqual(['invalid', ['/items/update/0']]);
        expect(await shape(foreign)).toEqual([foreign === other ? 'b:1' : 'c:1']);
      }
    }
  });

  test('a list takes the place of what was there', async () => {
    const id = await make(chief, { items: [{ label: 'a', pieces: 3 }, { label: 'b' }, { label: 'c' }] });
    const [a, b] = await items(id);
    await writer.update(chief, project(), id, { items: [{ id: a?.id }, { id: b?.id, label: 'bb' }, { label: 'd' }] });
    expect(await shape(id)).toEqual(['a:', 'bb:', 'd:']);
    expect((await items(id))[0]).toMatchObject({ pieces: '3' });
    const other = await make(chief, { items: [{ label: 'z' }] });
    await writer.update(chief, project(), id, { items: [] });
    expect([await shape(id), await shape(other)]).toEqual([[], ['z:']]);
  });
});

describe('new records that others refer to', () => {
  test('are created before them, at any depth and from parts too', async () => {
    const site = name();
    const id = await make(chief, {
      site: { create: { name: site } },
      items: [{ label: 'a', source: { create: { name: `${site} a` } } }],
    });
    const [row] = await lab.look(
      `select s.name, t.name as source from ${schema}.lab_projects p join ${schema}.lab_sites s on s.id = p.site
       join ${schema}.lab_items i on i.project = p.id join ${schema}.lab_sites t on t.id = i.source where p.id = $1`,
      [id],
    );
    expect(row).toEqual({ name: site, source: `${site} a` });
    const memo = await writer.create(chief, lab.entity('memo'), {
      text: 't',
      project: { create: { name: 'deep', site: { create: { name: `${site} deep` } }, items: [{ label: 'x' }] } },
    });
    const made = dataIn(memo.body).project;
    expect(await shape(made)).toEqual(['x:']);
    await writer.update(chief, project(), id, { site: { create: { name: `${site} new` } } });
    expect(
      await lab.look(
        `select s.name, p.version from ${schema}.lab_projects p join ${schema}.lab_sites s on s.id = p.site where p.id = $1`,
        [id],
      ),
    ).toEqual([{ name: `${site} new`, version: '2' }]);
    const many = await writer.create(chief, project(), [
      { name: 'a', site: { create: { name: name() } } },
      { name: 'b', site: { create: { name: name() } } },
      { name: 'c' },
    ]);
    expect(dataIn(many.body)).toHaveLength(3);
  });

  test('one that is wrong keeps all out, with its place', async () => {
    const marker = name();
    await writer.create(chief, lab.entity('site'), { name: `${marker} taken` });
    const sent = (site: unknown) => writer.create(chief, project(), { name: marker, site, items: [{ label: 'a' }] });
    expect(pointers(await refusal(sent({ create: { nme: 'x' } })))).toEqual(['/site/create/nme', '/site/create/name']);
    expect(pointers(await refusal(sent({ created: {} })))).toEqual(['/site']);
    expect(pointers(await refusal(sent({ create: {}, update: {} })))).toEqual(['/site']);
    expect(pointers(await refusal(sent({ create: [] })))).toEqual(['/site/create']);
    expect((await refusal(sent({ create: { name: `${marker} taken` } }))).code).toBe('unique');
    expect(await lab.look(`select from ${schema}.lab_projects where name = $1`, [marker])).toEqual([]);
  });

  test('need the right to create them', async () => {
    for (const predicates of [true, false]) {
      const who = { ...worker, predicates };
      expect(await make(who, { site: { create: { name: name() } } })).not.toBe('');
      const other = (await lab.person('member')).principal.userId;
      expect((await refusal(make(who, { site: { create: { name: name(), owner: other } } }))).code).toBe('forbidden');
      const starter = { ...(await lab.person('starter')), predicates };
      const problem = await refusal(make(starter, { site: { create: { name: name() } } }));
      expect([problem.code, pointers(problem)]).toEqual(['forbidden', ['/site']]);
    }
  });

  test('are not taken where records are changed in numbers', async () => {
    const id = await make(chief);
    const refused = await refusal(
      writer.transition(chief, project(), id, 'begin', { site: { create: { name: 'x' } } }),
    );
    expect(pointers(refused)).toEqual(['/site']);
  });
});

test('two hundred records inside one, and five levels', async () => {
  const screws = Array.from({ length: 100 }, () => ({ size: '1' }));
  expect(
    await shape(
      await make(chief, {
        items: [
          { label: 'a', screws: screws.slice(0, 99) },
          { label: 'b', screws: screws.slice(0, 99) },
        ],
      }),
    ),
  ).toHaveLength(2);
  const tooMany = await refusal(
    make(chief, {
      items: [
        { label: 'a', screws },
        { label: 'b', screws },
      ],
    }),
  );
  expect(tooMany.errors).toMatchObject([{ code: 'too_many', pointer: '/items/1/screws' }]);
  const id = await make(chief, { items: [{ label: 'a' }] });
  const [a] = await items(id);
  const changed = await refusal(
    writer.update(chief, project(), id, { items: { update: [{ id: a?.id, screws: [...screws, ...screws] }] } }),
  );
  expect(changed.errors).toMatchObject([{ code: 'too_many' }]);
  // Each record of a list has room of its own.
  const list = await writer.create(
    chief,
    project(),
    [1, 2].map(() => ({ name: 'x', items: [{ label: 'a', screws }] })),
  );
  expect(dataIn(list.body)).toHaveLength(2);
});
