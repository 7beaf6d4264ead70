import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { testRedis } from '#tests/support/redis.ts';
import { openSharedCache } from './shared-cache.ts';

const redis = await testRedis();
const log = pino({ level: 'silent' });
const told: string[] = [];
/** On a busy machine an answer takes longer than a server waits for it; what is in Redis is the matter here. */
const options = { url: redis.url, prefix: 'test', log, patience: 20_000 };
const here = await openSharedCache(options, 'things', (group, detail) => told.push(`here ${group} ${detail}`));
const there = await openSharedCache(options, 'things', (group, detail) => told.push(`there ${group} ${detail}`));
afterAll(() => Promise.all([here.close(), there.close()]));

const never = async (): Promise<string> => {
  throw new Error('was asked for');
};

describe('the shared cache', () => {
  test('gives one process what another has found out', async () => {
    expect(await here.get('acme', 'a', async () => 'found')).toBe('found');
    expect(await there.get('acme', 'a', never)).toBe('found');
    expect(await there.get('other', 'a', async () => 'another’s')).toBe('another’s');
  });

  test('does not remember that there was nothing', async () => {
    expect(await here.get('acme', 'none', async () => null)).toBeNull();
    expect(await there.get('acme', 'none', async () => 'now')).toBe('now');
  });

  test('forgets a group everywhere, tells the others, and leaves other groups alone', async () => {
    await here.get('acme', 'b', async () => 'old');
    await here.get('beta', 'b', async () => 'kept');
    told.length = 0;
    await here.forget('acme', 'bea');
    await expect.poll(() => told).toEqual(['there acme bea']);
    expect(await there.get('acme', 'b', async () => 'new')).toBe('new');
    expect(await there.get('beta', 'b', never)).toBe('kept');
  });

  test('what was read before a change is not kept after it', async () => {
    const slow = here.get('acme', 'c', async () => {
      await there.forget('acme');
      return 'read before';
    });
    expect(await slow).toBe('read before');
    expect(await there.get('acme', 'c', async () => 'read after')).toBe('read after');
  });

  test('without Redis everything is asked for, and nothing fails', { timeout: 60_000 }, async () => {
    await here.get('acme', 'd', async () => 'kept');
    await redis.kill();
    expect(await here.get('acme', 'd', async () => 'asked for')).toBe('asked for');
    await here.forget('acme');
    await redis.start();
    await expect
      .poll(async () => {
        await here.get('acme', 'e', async () => 'x');
        return there.get('acme', 'e', never).catch(() => null);
      })
      .toBe('x');
  });
});
