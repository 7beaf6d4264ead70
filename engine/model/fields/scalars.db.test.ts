/** The field types of one column, from a client's JSON to Postgres and back: written, read, filtered, sorted, imported. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FieldLab, makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';

const database = await testDatabase();
let lab: FieldLab;

const COLOURS = [
  { key: 'red', label: 'Red' },
  { key: 'green', label: 'Green, light' },
  { key: 'blue', label: 'Blue' },
];

beforeAll(async () => {
  lab = await makeFieldLab(database, [
    { key: 'opens', type: 'time', min: '06:00', index: true },
    { key: 'lasts', type: 'duration', max: 864_000, index: true },
    { key: 'stars', type: 'rating', max: 5 },
    { key: 'paint', type: 'colour' },
    { key: 'shades', type: 'multiple_choice', choices: COLOURS, max: 2, index: true },
    { key: 'extra', type: 'json', max: 1000, maxDepth: 4 },
    { key: 'well', type: 'json', maxDepth: 60 },
    { key: 'notes', type: 'rich_text', max: 2000, search: 'B' },
    { key: 'lunch', type: 'formula', returns: 'integer', expr: 'hour(opens) * 60 + minute(opens)' },
  ]);
});
afterAll(() => lab.close());

const FULL = {
  name: 'full',
  opens: '09:30',
  lasts: '1h 30m',
  stars: 4,
  paint: '#ABC',
  shades: ['blue', 'red', 'blue'],
  extra: { a: [1, { b: null }], 'x y': 'ü' },
  notes: '<h1>Hello</h1><p onclick="x()">a &lt; b &amp; <b>c</b><script>alert(1)</script></p>',
};

describe('a record with all of them', () => {
  test('is answered in canonical form, and the database computes from it', async () => {
    const made = await lab.create(FULL);
    expect(made).toMatchObject({
      opens: '09:30:00',
      lasts: 5400,
      stars: 4,
      paint: '#aabbcc',
      shades: ['red', 'blue'],
      extra: { a: [1, { b: null }], 'x y': 'ü' },
      notes: '<h2>Hello</h2><p>a &lt; b &amp; <b>c</b></p>',
      notes_text: 'Hello a < b & c',
      lunch: 570,
    });
    expect(await lab.one(made.id)).toMatchObject({ lasts: 5400, extra: { a: [1, { b: null }], 'x y': 'ü' } });
    await lab.lab.look(`delete from ${lab.lab.tenant.names.schema}.lab_things`);
  });

  test('changes, and the history tells from what to what', async () => {
    const { id } = await lab.create(FULL);
    const after = await lab.update(id, { opens: '10:00:01', lasts: 60, extra: [1], shades: null, notes: null });
    expect(after).toMatchObject({
      opens: '10:00:01',
      lasts: 60,
      extra: [1],
      shades: null,
      notes_text: null,
      version: 2,
    });
    const [entry] = await lab.history(id);
    const changes = (entry?.['changes'] ?? []) as readonly { field: string; old: unknown; new: unknown }[];
    expect(Object.fromEntries(changes.map(({ field, old, new: now }) => [field, [old, now]]))).toMatchObject({
      opens: ['09:30:00', '10:00:01'],
      lasts: [5400, 60],
      extra: [{ a: [1, { b: null }], 'x y': 'ü' }, [1]],
      shades: [['red', 'blue'], null],
    });
    expect(changes.map(({ field }) => field)).not.toContain('notes_text');
    // The same again is no change.
    expect(await lab.update(id, { opens: '10:00:01', extra: [1], lasts: 'PT1M' })).toMatchObject({ version: 2 });
    await lab.lab.look(`delete from ${lab.lab.tenant.names.schema}.lab_things`);
  });

  test('is created with others in one list', async () => {
    const result = await lab.writer.create(lab.chief, lab.lab.entity('thing'), [
      { name: 'a', extra: { deep: [1] }, opens: '07:00', shades: ['green'] },
      { name: 'b', extra: 'text', lasts: 'PT2H' },
    ]);
    expect(result.status).toBe(201);
    const rows = await lab.list('$order=name&$select=name,extra,opens,lasts,shades');
    expect(rows).toEqual([
      { name: 'a', extra: { deep: [1] }, opens: '07:00:00', lasts: null, shades: ['green'] },
      { name: 'b', extra: 'text', opens: null, lasts: 7200, shades: null },
    ]);
    await lab.lab.look(`delete from ${lab.lab.tenant.names.schema}.lab_things`);
  });
});

describe('what cannot be', () => {
  test.each([
    [{ opens: '25:00' }, 'wrong_type /opens'],
    [{ opens: '05:59' }, 'too_small /opens'],
    [{ opens: 930 }, 'wrong_type /opens'],
    [{ lasts: 'soon' }, 'duration /lasts'],
    [{ lasts: -1 }, 'too_small /lasts'],
    [{ lasts: '11d' }, 'too_large /lasts'],
    [{ lasts: 1.5 }, 'wrong_type /lasts'],
    [{ stars: 6 }, 'too_large /stars'],
    [{ stars: 0 }, 'too_small /stars'],
    [{ paint: 'javascript:x' }, 'colour /paint'],
    [{ shades: ['pink'] }, 'choice /shades'],
    [{ shades: ['red', 'green', 'blue'] }, 'too_many /shades'],
    [{ shades: 'red' }, 'wrong_type /shades'],
    [{ extra: { a: { b: { c: { d: {} } } } } }, 'too_deep /extra'],
    [{ extra: 'x'.repeat(1001) }, 'too_large /extra'],
    [JSON.parse('{"extra": {"a": [{"__proto__": {"x": 1}}]}}') as object, 'json_key /extra'],
    [{ extra: 'a\u0000b' }, 'control_character /extra'],
    [{ notes: 'x'.repeat(2001) }, 'too_long /notes'],
    [{ notes_text: 'x' }, 'read_only /notes_text'],
  ])('%j is refused', async (body, refusal) => {
    expect(await lab.refused(lab.create({ name: 'bad', ...body }))).toEqual([refusal]);
  });
});

test('JSON is kept as deep as the field says, which a body may be', async () => {
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  expect(await lab.create({ name: 'deep', well: nested(60) })).toMatchObject({ well: nested(60) });
  expect(await lab.refused(lab.create({ name: 'deep', well: nested(61) }))).toEqual(['too_deep /well']);
  await lab.lab.look(`delete from ${lab.lab.tenant.names.schema}.lab_things`);
});

describe('many records', () => {
  beforeAll(async () => {
    for (const body of [
      { name: 'early', opens: '06:15', lasts: 600, stars: 1, paint: '#000000', shades: ['red'], extra: {} },
      {
        name: 'noon',
        opens: '12:00',
        lasts: 7200,
        stars: 5,
        shades: ['red', 'blue'],
        notes: '<p>Green <em>tea</em></p>',
      },
      { name: 'late', opens: '22:45', lasts: 60, stars: 3, paint: '#ffffff', shades: ['green'] },
      { name: 'never' },
    ])
      await lab.create(body);
  });

  test.each([
    ['opens[gte]=12:00&$order=name', ['late', 'noon']],
    ['opens=12:00:00', ['noon']],
    ['opens[between]=06:00,07:00', ['early']],
    ['opens[in]=22:45,06:15&$order=-opens', ['late', 'early']],
    ['$order=opens', ['early', 'noon', 'late', 'never']],
    ['lasts[lt]=700&$order=lasts', ['late', 'early']],
    ['stars[gte]=3&$order=-stars', ['noon', 'late']],
    ['paint=%23ffffff', ['late']],
    ['shades[has]=red&$order=name', ['early', 'noon']],
    ['shades[hasAny]=green,blue&$order=name', ['late', 'noon']],
    ['shades[hasAll]=red,blue', ['noon']],
    ['extra[null]=false', ['early']],
    ['notes[null]=false', ['noon']],
    ['notes_text[icontains]=green%20tea', ['noon']],
    ['$search=tea', ['noon']],
  ])('%s finds %j', async (query, names) => {
    expect(await lab.names(query)).toEqual(names);
  });

  test.each(['opens=soon', 'extra=1', 'notes[contains]=p', 'shades=red'])('%s is refused', async (query) => {
    await expect(lab.names(query)).rejects.toThrow(/./);
  });

  test.each(['has', 'hasAny', 'hasAll'])(
    '%s takes what is no choice for none, known shape or not',
    async (operator) => {
      for (const times of [1, 2]) {
        await expect(lab.names(`shades[${operator}]=red,mauve`), `${times}`).rejects.toThrow('mauve');
        await lab.names(`shades[${operator}]=${operator === 'has' ? 'red' : 'red,blue'}`);
      }
    },
  );

  test('are summed up', async () => {
    expect(await lab.list('$agg=sum(lasts),avg(stars),min(opens),max(opens)')).toEqual([
      { 'sum(lasts)': '7860', 'avg(stars)': '3.00', 'min(opens)': '06:15:00', 'max(opens)': '22:45:00' },
    ]);
  });

  test('come from a file as people write them', async () => {
    const csv = `name,opens,lasts,stars,paint,shades,extra,notes
"file 1",9:30 pm,1:30,★★★☆☆,336699,"Red; blue","{""a"":1}","one
two < three"
"file 2",25:00,1h,3,#fff,Red,{},x
"file 3",7h05,90m,4/5,#FFF,"green, light",[],<p>hi <script>x</script></p>`;
    expect(await lab.bring(csv)).toMatchObject({ created: 2, failed: 1 });
    const exact = 'name,extra\nlost,"[12345678901234567890]"\nkept,"[""12345678901234567890""]"';
    expect(await lab.bring(exact)).toMatchObject({ created: 1, failed: 1 });
    expect(await lab.list('name[in]=lost,kept&$select=extra')).toEqual([{ extra: ['12345678901234567890'] }]);
    expect(
      await lab.list(
        'name[starts]=file&$order=name&$select=name,opens,lasts,stars,paint,shades,extra,notes,notes_text',
      ),
    ).toEqual([
      {
        name: 'file 1',
        opens: '21:30:00',
        lasts: 5400,
        stars: 3,
        paint: '#336699',
        shades: ['red', 'blue'],
        extra: { a: 1 },
        notes: '<p>one<br />two &lt; three</p>',
        notes_text: 'one two < three',
      },
      {
        name: 'file 3',
        opens: '07:05:00',
        lasts: 5400,
        stars: 4,
        paint: '#ffffff',
        shades: ['green'],
        extra: [],
        notes: '<p>hi </p>',
        notes_text: 'hi',
      },
    ]);
  });
});
