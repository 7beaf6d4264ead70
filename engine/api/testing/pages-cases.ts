import { describe, expect, it } from 'vitest';
import { code, testHttp } from './http.ts';

const { ask, start, services } = await testHttp();

describe('pages', () => {
  it('serves the screens at every address of theirs, each time with a new nonce', async () => {
    const pages = await Promise.all(
      ['/', '/index.html', '/sign-in', '/crm/opportunities'].map((path) => ask('GET', path, { token: null })),
    );
    const nonces = pages.map(({ status, text, headers }) => {
      expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      const nonce = /content="([\w-]{20,})"/.exec(text)?.[1] ?? '';
      expect(text).not.toContain('__CSP_NONCE__');
      expect(headers['content-security-policy']).toContain(`script-src 'self' 'nonce-${nonce}'`);
      expect(headers['content-security-policy']).not.toContain('unsafe');
      return nonce;
    });
    expect(new Set(nonces).size).toBe(4);
  });

  it('lets assets be kept, and lists nothing', async () => {
    const asset = await ask('GET', '/_ui/a-1.js', { token: null });
    expect([asset.status, asset.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable']);
    expect(asset.headers['x-content-type-options']).toBe('nosniff');
    for (const path of [
      '/_ui/',
      '/_ui',
      '/_ui/b.js',
      '/robots.txt',
      '/index.html.bak',
      '/.git/config',
      '/_ui/..%2findex.html',
      '/%',
    ]) {
      const answer = await ask('GET', path, { token: null });
      expect([path, answer.status, answer.text.includes('a-1.js')]).toEqual([path, 404, false]);
    }
    expect(code(await ask('POST', '/sign-in', { token: null, body: '{}' }))).toEqual([405, 'method_not_allowed']);
  });

  it('says plainly when they are not built', async () => {
    const at = await start(services, '/nowhere');
    const answer = await ask('GET', '/', {
      token: null,
      at,
    });
    expect([answer.status, answer.text]).toEqual([503, expect.stringContaining('npm start')]);
  });
});
