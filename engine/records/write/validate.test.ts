/** What is compiled for a model goes with it: a server that publishes for years does not grow. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { assignIdentities, buildModel } from '../../model/build.ts';
import { settingError } from '../../model/setting-value.ts';
import { validatorOf } from './validate.ts';

setFlagsFromString('--expose-gc');
const collect = (): void => runInNewContext('gc')();

/** Uses both once. @returns what must not outlive the release */
function used(): readonly WeakRef<object>[] {
  const document = {
    kind: 'entity',
    key: 'crate',
    plural: 'crates',
    label: 'Crate',
    fields: [{ key: 'name', type: 'text' }],
  };
  const source = {
    tenant: 'acme',
    release: 1,
    settings: { currency: 'EUR', country: 'DE', timeZone: 'UTC', locale: 'en' },
    packs: [],
    tenantDocuments: [{ document, source: 'custom/crate.entity.json', pack: 'custom' }],
  };
  const model = buildModel({ ...source, identities: assignIdentities(source) });
  const entity = model.entities.get('custom.crate');
  if (!entity) throw new Error('no crate');
  const validator = validatorOf(model, entity, 'create');
  expect(validator({ name: 'a' })).toBe(true);
  expect(validatorOf(model, entity, 'create')).toBe(validator);
  const properties = { days: { type: 'integer' } };
  expect(settingError({ schema: { type: 'object', properties } }, { days: 1 })).toBe(null);
  return [model, validator, properties].map((one) => new WeakRef(one));
}

test('validators of a release that nobody uses any more are let go of', async () => {
  const released = used();
  const left = async () => {
    // A WeakRef holds on until the turn of the event loop is over, and so does a compiler at work on another thread.
    await setImmediate();
    collect();
    return released.filter((one) => one.deref() !== undefined).length;
  };
  await expect.poll(left).toBe(0);
});
