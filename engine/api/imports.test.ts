import { describe, expect, it } from 'vitest';
import { code, testHttp, THINGS } from './testing/http.ts';
import { RECORD_ID } from './testing/services.ts';

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
  it('streams the file to the importer', async () => {
    const made = await upload('b', part('file'));
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ data: { name: 'a.csv', size: 9 } });
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
    const one = `${THINGS}/imports/${RECORD_ID}`;
    expect((await ask('PATCH', one, { body: '{"dryRun":true}' })).json).toMatchObject({
      data: { body: { dryRun: true } },
    });
    expect((await ask('POST', `${one}/start`)).status).toBe(202);
    expect((await ask('GET', one)).status).toBe(200);
    expect((await ask('GET', `${one}/errors.csv`, { headers: { accept: 'text/csv' } })).text).toBe('line,reason\n');
    expect((await ask('GET', `${THINGS}/imports/x`)).status).toBe(404);
  });
});
