import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { code, testHttp, THINGS } from './http.ts';

const { ask } = await testHttp();

function upload(boundary: string, body: string) {
  return ask('POST', `${THINGS}/imports`, {
    body,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  });
}

/** A multipart body with one file. */
const part = (name: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\nname\r\nx\r\n\r\n--b--\r\n`;

describe('imports', () => {
  it('reads the file as it comes', async () => {
    const made = await upload('b', part('file'));
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ data: { columns: ['name'], sample: [['x']], rows: 1 } });
  });

  it('refuses what is no upload', async () => {
    expect(code(await ask('POST', `${THINGS}/imports`, { body: '{}' }))).toEqual([415, 'unsupported_media_type']);
    expect(code(await upload('b', part('other')))).toEqual([422, 'invalid_import']);
    expect(
      code(await upload('b', '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nhalf')),
    ).toEqual([422, 'invalid_import']);
    expect(code(await upload('', 'x'))).toEqual([422, 'invalid_import']);
  });

  it('is configured, started and looked at', async () => {
    const { id } = Object((await upload('b', part('file'))).json['data']);
    const one = `${THINGS}/imports/${id}`;
    const configured = await ask('PATCH', one, { body: '{"mapping":{"name":"name"}}' });
    expect(configured.json).toMatchObject({ data: { id, state: 'uploaded', total: 1 } });
    expect((await ask('POST', `${one}/start`, { body: '{"dryRun":true}' })).status).toBe(202);
    expect((await ask('GET', one)).json).toMatchObject({ data: { id, dryRun: true } });
    const errors = await ask('GET', `${one}/errors.csv`, { headers: { accept: 'text/csv' } });
    expect([errors.status, errors.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
    expect((await ask('GET', `${THINGS}/imports/${randomUUID()}`)).status).toBe(404);
    expect((await ask('GET', `${THINGS}/imports/x`)).status).toBe(404);
  });
});
