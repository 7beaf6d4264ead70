import { expect, test } from 'vitest';
import { definePlugin, isPlugin } from './define-plugin.ts';

test('a plugin is what definePlugin made, complete and frozen', () => {
  const plugin = definePlugin({ key: 'harbour', version: '1.0.0' });
  expect(plugin).toEqual({
    key: 'harbour',
    version: '1.0.0',
    label: 'harbour',
    requires: [],
    metadata: null,
    fieldTypes: [],
  });
  expect([isPlugin(plugin), Object.isFrozen(plugin), isPlugin({ ...plugin })]).toEqual([true, true, false]);
});

test.each([
  [{ key: 'Harbour', version: '1.0.0' }, 'is no key of a plugin'],
  [{ key: 'harbour', version: '1' }, 'must look like 1.0.0'],
  [{ key: 'harbour', version: '1.0.0', requires: ['a b'] }, 'which is no key'],
  [{ key: 'harbour', version: '1.0.0', metadata: new URL('https://harbour.example/') }, 'as a file URL'],
  [{ key: 'harbour', version: '1.0.0', routes: [] }, 'has “routes”, which is not known here'],
])('%j is refused', (definition, reason) => {
  expect(() => definePlugin(definition)).toThrow(reason);
});
