/** Bad input gets a clear answer and loses nothing. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin: Client = await app.as('acme', 'admin@acme.example');
const ACCOUNTS = '/api/crm/v1/accounts';

let id = '';
let before = '';
const stored = async () =>
  JSON.stringify((await database.superuser.query('select * from t_acme.crm_accounts order by id')).rows);

beforeAll(async () => {
  const { json } = await admin.post(ACCOUNTS, { name: 'Untouched', annual_revenue: '100.00', employees: 5 });
  id = json.data?.id ?? '';
  before = await stored();
});
afterEach(async () => expect(await stored()).toBe(before));

/** Deeper than anything sensible. */
const DEEP = `${'['.repeat(5000)}${']'.repeat(5000)}`;

describe('bodies', () => {
  test.each([
    ['an unknown field', { name: 'A', nmae: 'B' }, '/nmae', /name/],
    ['a wrong type', { name: 'A', employees: 'many' }, '/employees', /number|integer/i],
    ['a number too large', { name: 'A', employees: 99_999_999_999 }, '/employees', /10,?000,?000|large|most/i],
    [
      'money too large',
      { name: 'A', annual_revenue: '99999999999999999999999.00' },
      '/annual_revenue',
      /large|digits/i,
    ],
    ['an invalid address', { name: 'A', email: 'not an address' }, '/email', /e-?mail/i],
    ['a missing name', { employees: 3 }, '/name', /required|missing|needs/i],
    ['an empty name', { name: '' }, '/name', /required|empty|needs|at least/i],
    ['a name that is too long', { name: 'x'.repeat(201) }, '/name', /200/],
    ['a choice that is none', { name: 'A', sector: 'technologie' }, '/sector', /technology/],
    [
      'a reference to nothing',
      { name: 'A', parent: '01900000-0000-7000-8000-000000000000' },
      '/parent',
      /does not exist|may not see/,
    ],
    ['a reference that is no id', { name: 'A', parent: "x'; drop table accounts; --" }, '/parent', /id/i],
    ['a system field', { name: 'A', version: 7 }, '/version', /version/i],
    ['a text that cannot be stored', { name: 'A\u0000B' }, '/name', /character/i],
  ])('%s', async (_name, body, pointer, sentence) => {
    const answer = await admin.post(ACCOUNTS, body);
    expect(answer.status, answer.text).toBe(422);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.json.errors?.map((error) => error.pointer)).toContain(pointer);
    expect(answer.json.errors?.map((error) => error.message).join(' ')).toMatch(sentence);
  });

  test('an invalid date', async () => {
    const answer = await admin.post('/api/crm/v1/opportunities', { name: 'A', close_date: '2026-02-30' });
    expect([answer.status, answer.json.errors?.[0]?.pointer]).toEqual([422, '/close_date']);
  });

  test('all that is wrong is said at once, in bulk with the place of the record', async () => {
    const answer = await admin.post(ACCOUNTS, [{ name: 'fine' }, { employees: 'x' }]);
    expect(answer.json.errors?.map((error) => error.pointer).sort()).toEqual(['/1/employees', '/1/name']);
  });

  test.each([
    ['no JSON', '{"name": ', 400, 'malformed_json'],
    ['JSON nested too deeply', DEEP, 400, 'too_deep'],
    ['ten megabytes', JSON.stringify({ name: 'x'.repeat(10_000_000) }), 413, 'too_large'],
    ['an empty body', '', 400, 'malformed_json'],
    ['a text instead of a record', '"hello"', 422, 'invalid'],
    ['null', 'null', 422, 'invalid'],
  ])('%s', async (_name, body, status, code) => {
    const answer = await admin.send('POST', ACCOUNTS, body, { 'content-type': 'application/json' });
    expect([answer.status, answer.json.code], answer.text).toEqual([status, code]);
  });

  test('another content type', async () => {
    const answer = await admin.send('POST', ACCOUNTS, '<name>A</name>', { 'content-type': 'application/xml' });
    expect([answer.status, answer.json.code]).toEqual([415, 'unsupported_media_type']);
  });

  test('a __proto__ key does nothing', async () => {
    const answer = await admin.send('POST', ACCOUNTS, '{"name":"A","__proto__":{"administrator":true}}', {
      'content-type': 'application/json',
    });
    expect(answer.status).toBe(422);
  });
});

describe('addresses and parameters', () => {
  test.each([
    ['an unknown field', '?$select=nmae', 'unknown_field'],
    ['an unknown filter', '?colour=red', 'unknown_field'],
    ['an unknown parameter', '?$slect=name', 'unknown_parameter'],
    ['an operator that is none', '?name[sounds]=x', 'unknown_operator'],
    ['a field with SQL in it', `?${encodeURIComponent('name"; drop table x; --')}=1`, 'unknown_parameter'],
    ['SQL in an order', `?$order=${encodeURIComponent('name; drop table x')}`, 'invalid_parameter'],
    ['a page that is too large', '?$first=100000', 'invalid_parameter'],
    ['a forged cursor', '?$after=eyJ2IjoxfQ', 'invalid_cursor'],
    ['a number that is none', '?employees[gt]=abc', 'invalid_parameter'],
    ['unbalanced brackets', '?$select=parent(id', 'invalid_parameter'],
  ])('%s', async (_name, query, code) => {
    const answer = await admin.get(ACCOUNTS + query);
    expect([answer.status, answer.json.code], answer.text).toEqual([400, code]);
    expect(answer.text).not.toMatch(/syntax error|pg_|select .* from/i);
  });

  test('an id that is none equals one that does not exist', async () => {
    const [wrong, absent] = [
      await admin.get(`${ACCOUNTS}/1 or 1=1`),
      await admin.get(`${ACCOUNTS}/01900000-0000-7000-8000-000000000000`),
    ];
    expect([wrong.status, wrong.json.code, wrong.json.detail]).toEqual([404, 'not_found', absent.json.detail]);
  });

  test('a method that is not there says which are', async () => {
    const answer = await admin.send('PUT', `${ACCOUNTS}/${id}`, '{}', { 'content-type': 'application/json' });
    expect([answer.status, answer.json.code]).toEqual([405, 'method_not_allowed']);
    expect(answer.headers.get('allow')).toContain('PATCH');
  });
});

describe('too late, twice, half-way', () => {
  test('a stale version is refused', async () => {
    const answer = await admin.patch(`${ACCOUNTS}/${id}`, { name: 'Late' }, { 'if-match': '"v999.x"' });
    expect([answer.status, answer.json.code]).toEqual([412, 'precondition_failed']);
  });

  test('an If-Match that is none is refused', async () => {
    const answer = await admin.patch(`${ACCOUNTS}/${id}`, { name: 'Late' }, { 'if-match': 'seven' });
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_header']);
  });

  test('a parent with one wrong child makes neither', async () => {
    const answer = await admin.post('/api/crm/v1/opportunities', {
      name: 'Half',
      lines: [
        { description: 'Good', quantity: '1', unit_price: '5.00' },
        { description: 'Bad', quantity: 'x', unit_price: '5.00' },
      ],
    });
    expect([answer.status, answer.json.errors?.[0]?.pointer]).toEqual([422, '/lines/1/quantity']);
    expect((await database.superuser.query('select count(*)::int as n from t_acme.crm_opportunities')).rows[0]?.n).toBe(
      0,
    );
  });
});

describe('the same request twice', () => {
  const key = (value: string) => ({ 'idempotency-key': value });
  const remove = (which: string) => database.superuser.query('delete from t_acme.crm_accounts where id = $1', [which]);

  test('is done once and answered twice, also at the same time', async () => {
    const send = () => admin.post(ACCOUNTS, { name: 'Once' }, key('first-key'));
    const answers = await Promise.all([send(), send(), send()]);
    answers.push(await send());
    expect(new Set(answers.map(({ json }) => json.data?.id)).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(3);
    const other = await admin.post(ACCOUNTS, { name: 'Other' }, key('first-key'));
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_mismatch']);
    await remove(answers[0]?.json.data?.id ?? '');
  });

  test('after a failure the key is free again', async () => {
    expect((await admin.post(ACCOUNTS, { employees: 1 }, key('second-key'))).status).toBe(422);
    const answer = await admin.post(ACCOUNTS, { name: 'Now' }, key('second-key'));
    expect(answer.status).toBe(201);
    await remove(answer.json.data?.id ?? '');
  });
});

describe('imports', () => {
  const upload = (bytes: Uint8Array<ArrayBuffer>, name = 'file.csv') => {
    const form = new FormData();
    form.append('file', new Blob([bytes], { type: 'text/csv' }), name);
    return admin.send('POST', `${ACCOUNTS}/imports`, form);
  };
  const text = (value: string) => new TextEncoder().encode(value);

  test.each([
    ['an empty file', text('')],
    ['a header and nothing else', text('name,employees\n')],
    ['a binary file', new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3, 0xff, 0xfe, 0, 0])],
    ['a file that is not UTF-8', new Uint8Array([...text('name\nM'), 0xfc, ...text('ller\n')])],
    ['a quote that is never closed', text('name\n"open\nand on\n')],
    ['two columns of the same name', text('name,name\nA,B\n')],
  ])('%s', async (_name, bytes) => {
    const answer = await upload(bytes);
    expect([answer.status, answer.json.code], answer.text).toEqual([422, 'invalid_import']);
    expect(answer.json.detail?.length).toBeGreaterThan(20);
  });
});
