import { expect, test } from 'vitest';
import { openVault, seal, unseal } from './vault.ts';

const place = { tenant: 't1', field: 'f_1', record: 'r1' };

test('what is sealed opens at its own place only, under the same secret', () => {
  openVault('a secret that is long enough for this');
  const sealed = seal('Zürich 😀', place);
  expect(sealed).not.toContain('rich');
  expect(seal('Zürich 😀', place)).not.toBe(sealed);
  expect(unseal(sealed, place)).toBe('Zürich 😀');
  for (const other of [{ tenant: 't2' }, { field: 'f_2' }, { record: 'r2' }])
    expect(unseal(sealed, { ...place, ...other })).toBeNull();
  const at = sealed.length - 4;
  expect(unseal(`${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`, place)).toBeNull();
  for (const broken of ['', 'v1', 'v1.x.y', `${sealed}.x`, sealed.replace('v1', 'v2'), sealed.slice(0, 30)])
    expect(unseal(broken, place)).toBeNull();
  openVault('another secret that is long enough, too');
  expect(unseal(sealed, place)).toBeNull();
});
