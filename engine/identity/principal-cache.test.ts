/** What the cache of principals keeps, for how long, and how much of it. */
import { expect, test } from 'vitest';
import { fixedClock } from '../clock.ts';
import { assignIdentities, buildModel } from '../model/build.ts';
import type { Model } from '../model/model.ts';
import { loadShippedPacks } from '../model/packs.ts';
import { PrincipalCache, TTL } from './principal-cache.ts';
import type { Principal } from './principal.ts';

const settings = { currency: 'EUR', country: 'DE', timeZone: 'Europe/Berlin', locale: 'en' };
const core = (await loadShippedPacks()).filter(({ key }) => key === 'core');

function modelOf(release: number): Model {
  const source = { tenant: 'acme', release, settings, packs: core, tenantDocuments: [] };
  return buildModel({ ...source, identities: assignIdentities(source) });
}
const model = modelOf(1);

const somebody = (userId: string): Principal => ({
  tenant: 'acme',
  userId,
  name: userId,
  email: null,
  roles: [],
  dbRole: 'nobody',
  team: null,
  teams: [],
  teamMembers: [userId],
  attributes: {},
  locale: 'en',
  timeZone: 'UTC',
});

/** A cache, and who was really loaded. */
function open() {
  const clock = fixedClock(0);
  const cache = new PrincipalCache(clock);
  const loaded: string[] = [];
  const ask = (userId: string, known: Model = model, tenant = 'acme') =>
    cache.get(tenant, userId, known, async () => {
      loaded.push(userId);
      return somebody(userId);
    });
  return { clock, cache, loaded, ask };
}

test('requests that arrive together share one load, and later ones what it found', async () => {
  const { ask, loaded } = open();
  const [one, two] = await Promise.all([ask('ann'), ask('ann')]);
  expect(two).toBe(one);
  expect(await ask('ann')).toBe(one);
  expect(loaded).toEqual(['ann']);
});

test('it is kept for half a minute, and for one release', async () => {
  const { ask, loaded, clock } = open();
  await ask('ann');
  clock.advance(TTL - 1);
  await ask('ann');
  expect(loaded).toHaveLength(1);
  clock.advance(1);
  await ask('ann');
  expect(loaded).toHaveLength(2);
  await ask('ann', modelOf(2));
  expect(loaded).toHaveLength(3);
});

test('one person, or all of an organisation, is dropped, and nobody else', async () => {
  const { ask, loaded, cache } = open();
  const everybody = async () => {
    await ask('ann');
    await ask('bea');
    await ask('cleo', model, 'globex');
    return loaded.splice(0);
  };
  expect(await everybody()).toEqual(['ann', 'bea', 'cleo']);
  cache.forget('acme', 'ann');
  expect(await everybody()).toEqual(['ann']);
  cache.forget('acme');
  expect(await everybody()).toEqual(['ann', 'bea']);
});

test('what was loading when it was dropped is not kept', async () => {
  const { ask, loaded, cache } = open();
  const loading = ask('ann');
  cache.forget('acme', 'ann');
  await loading;
  await ask('ann');
  expect(loaded).toEqual(['ann', 'ann']);
});

test('neither an absent person nor a failure is remembered', async () => {
  const { ask, loaded, cache } = open();
  expect(await cache.get('acme', 'ann', model, async () => null)).toBeNull();
  await expect(cache.get('acme', 'ann', model, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect((await ask('ann'))?.userId).toBe('ann');
  expect(loaded).toEqual(['ann']);
});

test('five thousand people of an organisation are kept, the oldest go', async () => {
  const { ask, loaded } = open();
  for (let at = 0; at <= 5_000; at++) await ask(`user ${at}`);
  loaded.length = 0;
  await ask('user 5000');
  await ask('user 1');
  expect(loaded).toEqual([]);
  await ask('user 0');
  expect(loaded).toEqual(['user 0']);
});
