/** Values that are written in several ways and stored in one are found however they are written. */
import { beforeAll, expect, test } from 'vitest';
import { each } from './testing/answer.ts';
import { labHttp } from './testing/lab-http.ts';

const { hire, ask } = await labHttp({
  documents: [
    {
      kind: 'entity',
      key: 'caller',
      plural: 'callers',
      label: 'Caller',
      fields: [
        { key: 'name', type: 'text' },
        { key: 'email', type: 'email', unique: true },
        { key: 'phone', type: 'phone' },
        { key: 'site', type: 'url' },
        { key: 'fee', type: 'money' },
        { key: 'friend', type: 'reference', to: 'caller' },
      ],
    },
    ...['chief', 'worker'].map((key) => ({ kind: 'role', key, label: key, inherits: ['member'] })),
    { kind: 'permission', role: 'chief', entity: 'lab.caller', actions: ['create', 'read', 'update'] },
    {
      kind: 'permission',
      role: 'worker',
      entity: 'lab.caller',
      actions: ['read'],
      conditions: { email: 'FOO@bar.example' },
    },
  ],
});

const CALLERS = '/api/lab/v1/callers';
const BODIES = [
  { name: 'foo', email: 'Foo@Bar.example', phone: '030 123456', site: 'Example.com', fee: '1', fee_currency: 'eur' },
  { name: 'baz', email: 'baz@bar.example', phone: '+44 20 7946 0958', site: 'https://example.org/x' },
];
beforeAll(async () => {
  for (const who of ['chief', 'worker']) await hire(who, who);
  for (const body of BODIES) {
    const made = await ask('chief', 'POST', CALLERS, body);
    expect(made.status, JSON.stringify(made.body)).toBe(201);
  }
});

const found = async (query: string) => each(await ask('chief', 'GET', `${CALLERS}?${query}&$order=name`), 'name');

test.each([
  ['email=FOO@bar.example', ['foo']],
  // The same shape again, whose text is known.
  ['email=BAZ@BAR.example', ['baz']],
  ['email[ne]=FOO@bar.example', ['baz']],
  ['email[in]=FOO@bar.example,BAZ@bar.example', ['baz', 'foo']],
  ['email[in]=FOO@bar.example,foo@BAR.example', ['foo']],
  ['email[nin]=FOO@bar.example', ['baz']],
  ['email=nobody', []],
  ['email[contains]=FOO', []],
  ['phone=030%20123456', ['foo']],
  ['phone=%2B44(20)79460958', ['baz']],
  ['phone=030-123456', ['foo']],
  ['site=EXAMPLE.com', ['foo']],
  ['fee_currency=eur', ['baz', 'foo']],
])('%s finds %j', async (query, names) => {
  expect(await found(query)).toEqual(names);
  expect(await found(query)).toEqual(names);
});

test('the same in JSON, over references, inside lists and in permissions', async () => {
  const query = (where: object) => ask('chief', 'QUERY', CALLERS, { where, select: ['name'] });
  expect(each(await query({ phone: { in: ['030/123456', 'x'] } }), 'name')).toEqual(['foo']);
  const [foo] = each(await ask('chief', 'GET', `${CALLERS}?name=foo`), 'id');
  const [baz] = each(await ask('chief', 'GET', `${CALLERS}?name=baz`), 'id');
  await ask('chief', 'PATCH', `${CALLERS}/${String(baz)}`, { friend: foo });
  expect(await found('friend.email=FOO@bar.example')).toEqual(['baz']);
  expect(each(await ask('worker', 'GET', CALLERS), 'name')).toEqual(['foo']);
});

test('and in the address of a record', async () => {
  const read = await ask('chief', 'GET', `${CALLERS}/by/email/FOO@Bar.example`);
  expect(read.body).toMatchObject({ data: { name: 'foo' } });
});
