import { describe, expect, it } from 'vitest';
import { BOSS, code, testHttp } from './http.ts';

const { ask, services, tokens } = await testHttp();

describe('metadata', () => {
  it('is for administrators alone', async () => {
    for (const path of ['documents', 'releases', 'releases/2', 'schema/entity.json']) {
      const as = async (token: string | null) => code(await ask('GET', `/api/metadata/${path}`, { token }));
      expect([path, (await ask('GET', `/api/metadata/${path}`)).status]).toEqual([path, 200]);
      expect([path, await as(tokens.clerk), await as(null)]).toEqual([
        path,
        [403, 'forbidden'],
        [401, 'unauthenticated'],
      ]);
    }
    expect((await ask('GET', '/api/metadata/releases/99')).status).toBe(404);
    expect((await ask('GET', '/api/metadata/schema/nothing.json')).status).toBe(404);
    expect((await ask('GET', '/api/metadata/schema/..%2f..%2fpackage.json')).status).toBe(404);
  });

  it('publishes in the name of who is signed in', async () => {
    const { model } = await services.models.get('acme');
    const { documents } = await services.publisher.documents('acme');
    const more = [...documents, { kind: 'role', key: 'extra', label: 'Extra' }];
    const body = JSON.stringify({ base: model.release, message: 'More.', documents: more });
    expect((await ask('POST', '/api/metadata/publish', { body })).json).toMatchObject({
      data: { number: model.release + 1, author: BOSS.email, message: 'More.' },
    });
  });

  it.each([
    ['publish', { message: 'x' }, '/base'],
    ['publish', { base: 1, message: ' ' }, '/message'],
    ['publish', { base: 1, message: 'x', documents: [1] }, '/documents/0'],
    ['publish', { base: 1, message: 'x', author: 'me' }, '/author'],
    ['plan', { packs: [1] }, '/packs'],
    ['rollback', { base: 1, message: 'x', to: 'y' }, '/to'],
    ['plan', [], ''],
  ])('%s refuses %j at %s', async (route, input, pointer) => {
    const answer = await ask('POST', `/api/metadata/${route}`, { body: JSON.stringify(input) });
    expect(code(answer)).toEqual([422, 'invalid']);
    expect(answer.json['errors']).toMatchObject([{ pointer }]);
  });

  it('takes larger bodies than records, and no more', async () => {
    const documents = [{ kind: 'role', text: 'x'.repeat(2 * 1024 * 1024) }];
    // It was read: what is wrong with it is what it says.
    expect(code(await ask('POST', '/api/metadata/plan', { body: JSON.stringify({ documents }) }))).toEqual([
      422,
      'invalid_document',
    ]);
    expect((await ask('POST', '/api/metadata/plan', { body: ' '.repeat(6 * 1024 * 1024) })).status).toBe(413);
  });
});
