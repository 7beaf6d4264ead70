/** Files of records over HTTP: who may send, name and fetch them, and what a browser is told about them. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { DiskStore } from '#engine/files/disk-store.ts';
import { Files } from '#engine/files/files.ts';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
await makeTenant(app, 'other');

const DOCUMENTS = [
  { kind: 'role', key: 'filer', label: 'Filer', inherits: ['member'] },
  { kind: 'role', key: 'peeker', label: 'Peeker', inherits: ['member'] },
  {
    kind: 'entity',
    key: 'folder',
    plural: 'folders',
    label: 'Folder',
    owner: true,
    history: true,
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'scan', type: 'file' },
      { key: 'picture', type: 'image' },
    ],
  },
  {
    kind: 'permission',
    role: 'filer',
    entity: 'folder',
    actions: ['create', 'read', 'update', 'delete'],
    conditions: { owner: 'self' },
  },
  { kind: 'permission', role: 'peeker', entity: 'folder', actions: ['read'], fields: { read: { except: ['scan'] } } },
];
const URL_ = '/api/custom/v1/folders';
const tokens = new Map<string, string>();

const staff = async (tenant: string, name: string, roles: string[]) => {
  const admin = await app.as(tenant, `admin@${tenant}.example`);
  const email = `${name}@${tenant}.example`;
  await hire(admin, { name, email, roles });
  const { token } = await app.app.services.identity.issueToken({ tenant, user: { email }, label: 'test' });
  tokens.set(name, token);
};
for (const tenant of ['acme', 'other']) {
  const admin = await app.as(tenant, `admin@${tenant}.example`);
  const base = Number((await admin.get('/api/metadata/documents')).json.release ?? 1);
  const published = await admin.post('/api/metadata/publish', { base, message: 'Folders', documents: DOCUMENTS });
  if (published.status >= 300) throw new Error(published.text);
}
await staff('acme', 'fay', ['filer']);
await staff('acme', 'finn', ['filer']);
await staff('acme', 'pia', ['peeker']);
await staff('other', 'otto', ['filer']);

const ask = (who: string, method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}) =>
  fetch(`${app.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.get(who)}`, ...headers },
    ...(body !== undefined && { body }),
  });
const json = { 'content-type': 'application/json' };
const upload = async (who: string, name: string, content: BodyInit) =>
  ask(who, 'POST', `${URL_}/$files?name=${encodeURIComponent(name)}`, content, { 'content-type': 'text/html' });
const uploaded = async (
  who: string,
  name: string,
  content: BodyInit,
): Promise<{ id: string; type: string; name: string }> => {
  const answer = await upload(who, name, content);
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { data: { id: string; type: string; name: string } }).data;
};
const make = (who: string, body: object) => ask(who, 'POST', URL_, JSON.stringify(body), json);
const PNG = Buffer.from('89504e470d0a1a0a0000000d494844520000000100000001', 'hex');

async function folder(
  who: string,
  body: object = {},
): Promise<{ id: string; scan: { id: string }; picture: { id: string } }> {
  const answer = await make(who, { name: 'x', ...body });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { data: never }).data;
}

describe('a file', () => {
  test('comes in, is named by a record, and goes out to who may read record and field', async () => {
    const file = await uploaded('fay', '../../etc/Rechnung "ü".html', '<script>alert(1)</script>');
    expect(file).toMatchObject({ name: 'Rechnung "ü".html', type: 'application/octet-stream', size: 25 });
    const record = await folder('fay', { scan: file.id });
    expect(record.scan).toEqual({ id: file.id, name: 'Rechnung "ü".html', type: 'application/octet-stream', size: 25 });
    const got = await ask('fay', 'GET', `${URL_}/${record.id}/files/scan`);
    expect(await got.text()).toBe('<script>alert(1)</script>');
    expect(Object.fromEntries(got.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="Rechnung ___.html"; filename*=UTF-8''Rechnung%20%22%C3%BC%22.html`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    // Of others, of who may not read the field, of another organisation, and without a sign-in: nothing.
    for (const who of ['finn', 'pia', 'otto']) {
      expect((await ask(who, 'GET', `${URL_}/${record.id}/files/scan`)).status, who).toBe(404);
    }
    expect((await fetch(`${app.url}${URL_}/${record.id}/files/scan`)).status).toBe(401);
    for (const field of ['name', 'nothing', '..%2Fscan', '__proto__'])
      expect((await ask('fay', 'GET', `${URL_}/${record.id}/files/${field}`)).status, field).toBe(404);
  });

  test('is shown in a page only when it is a picture by its content', async () => {
    const picture = await uploaded('fay', 'a.txt', PNG);
    const svg = await uploaded('fay', 'a.png', '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>');
    expect([picture.type, svg.type]).toEqual(['image/png', 'application/octet-stream']);
    const record = await folder('fay', { picture: picture.id, scan: svg.id });
    const shown = await ask('pia', 'GET', `${URL_}/${record.id}/files/picture?inline`);
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(shown.headers.get('content-disposition')).toMatch(/^inline/);
    const program = await ask('fay', 'GET', `${URL_}/${record.id}/files/scan?inline`);
    expect(program.headers.get('content-disposition')).toMatch(/^attachment/);
    const refused = await make('fay', { name: 'y', picture: (await uploaded('fay', 'x.svg', '<svg/>')).id });
    expect([refused.status, ((await refused.json()) as { errors: unknown }).errors]).toMatchObject([
      422,
      [{ pointer: '/picture', code: 'file_kind', message: expect.stringContaining('takes a picture') as string }],
    ]);
    const half = await uploaded('fay', 'x.png', PNG.subarray(0, 8));
    expect((await make('fay', { name: 'y', picture: half.id })).status).toBe(422);
  });

  test('is named once, by who sent it', async () => {
    const file = await uploaded('fay', 'a', 'x');
    expect((await make('finn', { name: 'stolen', scan: file.id })).status).toBe(422);
    expect((await make('otto', { name: 'stolen', scan: file.id })).status).toBe(422);
    await folder('fay', { scan: file.id });
    const why = async (answer: Response) => {
      const { errors } = (await answer.json()) as { errors: readonly { code: string; pointer: string }[] };
      return [answer.status, ...errors.map(({ code, pointer }) => `${code} ${pointer}`)];
    };
    expect(await why(await make('fay', { name: 'twice', scan: file.id }))).toEqual([422, 'file_used /scan']);
    const { id } = await uploaded('fay', 'b.png', PNG);
    expect(await why(await make('fay', { name: 'two', scan: id, picture: id }))).toEqual([422, 'file_used /picture']);
    const missing = { name: 'none', scan: '01900000-0000-7000-8000-000000000001' };
    const none = [422, 'reference /scan'];
    expect(await why(await make('fay', missing))).toEqual(none);
    // Another's file is none, whether a record has it or not.
    const theirs = await uploaded('finn', 'c', 'x');
    expect(await why(await make('fay', { name: 'z', scan: theirs.id }))).toEqual(none);
    await folder('finn', { scan: theirs.id });
    expect(await why(await make('fay', { name: 'z', scan: theirs.id }))).toEqual(none);
    const empty = await upload('fay', 'empty', '');
    expect([empty.status, await empty.json()]).toMatchObject([422, { detail: 'The file is empty.' }]);
    expect((await make('fay', { name: 'bad', scan: '../../secret' })).status).toBe(422);
  });

  test('goes out in part, and not again when it is known', async () => {
    const file = await uploaded('fay', 'digits.txt', '0123456789');
    const { id } = await folder('fay', { scan: file.id });
    const part = async (range: string) => {
      const got = await ask('fay', 'GET', `${URL_}/${id}/files/scan`, undefined, { range });
      return [got.status, await got.text(), got.headers.get('content-range')];
    };
    expect(await part('bytes=2-4')).toEqual([206, '234', 'bytes 2-4/10']);
    expect(await part('bytes=-3')).toEqual([206, '789', 'bytes 7-9/10']);
    expect(await part('bytes=8-')).toEqual([206, '89', 'bytes 8-9/10']);
    expect(await part('bytes=10-')).toEqual([416, '', 'bytes */10']);
    expect((await part('bytes=1-2,4-5'))[0]).toBe(200);
    const known = await ask('fay', 'GET', `${URL_}/${id}/files/scan`, undefined, { 'if-none-match': `"${file.id}"` });
    expect(known.status).toBe(304);
    expect((await ask('fay', 'HEAD', `${URL_}/${id}/files/scan`)).headers.get('content-length')).toBe('10');
  });

  test('has a limit, and comes from who may write records', async () => {
    expect((await upload('fay', 'big', Buffer.alloc(1024 * 1024 + 1))).status).toBe(413);
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(256 * 1024));
      },
    });
    const endless = await fetch(`${app.url}${URL_}/$files?name=x`, {
      method: 'POST',
      body: stream,
      duplex: 'half',
      headers: { authorization: `Bearer ${tokens.get('fay')}` },
    } as RequestInit).then(
      ({ status }) => status,
      () => 413,
    );
    expect(endless).toBe(413);
    expect((await upload('pia', 'x', 'x')).status).toBe(403);
    expect((await ask('fay', 'GET', `${URL_}/$files`)).status).toBe(405);
  });

  test('ends a day after nothing names it any more', async () => {
    const kept = await uploaded('fay', 'kept', 'x');
    const replaced = await uploaded('fay', 'replaced', 'x');
    const lost = await uploaded('fay', 'lost', 'x');
    await folder('fay', { scan: kept.id });
    const { id } = await folder('fay', { scan: replaced.id });
    expect((await ask('fay', 'PATCH', `${URL_}/${id}`, JSON.stringify({ scan: null }), json)).status).toBe(200);
    const { services } = app.app;
    const { rows } = await database.superuser.query<{ tenant_id: string }>(
      'select tenant_id from armature.file limit 1',
    );
    const folderOf = join(app.home, 'files', rows[0]?.tenant_id ?? '');
    const there = (file: { id: string }) => existsSync(join(folderOf, file.id.slice(-2), file.id));
    expect([kept, replaced, lost].map(there)).toEqual([true, true, true]);
    expect(await services.files.purge()).toBe(0);
    const tomorrow = { ...systemClock, now: () => systemClock.now() + 25 * 3_600_000 };
    const later = new Files({ ...services, clock: tomorrow, store: new DiskStore(join(app.home, 'files')), limit: 1 });
    expect(await later.purge()).toBeGreaterThanOrEqual(2);
    expect([kept, replaced, lost].map(there)).toEqual([true, false, false]);
    // What broke off is put away when its answer is out.
    await expect.poll(() => readdirSync(join(app.home, 'files', 'receiving'))).toEqual([]);
  });
});
