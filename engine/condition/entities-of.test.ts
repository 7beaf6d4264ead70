import { expect, it } from 'vitest';
import { entitiesOf } from './entities-of.ts';
import { parseCondition } from './parse.ts';
import { resolveCondition } from './resolve.ts';
import { lookup, THING } from './testing/entities.ts';

it('the entities on the way are known', () => {
  const read = (json: unknown) => [
    ...entitiesOf(resolveCondition(parseCondition(json, { pointer: '' }), THING, lookup)),
  ];
  expect(read({ name: 'a', owner: '@me' })).toEqual([]);
  expect(read({ not: { or: [{ box: { shelf: { room: 'A' } } }, { name: 'a' }] } })).toEqual(['lab.box', 'lab.shelf']);
  expect(read({ fact: 'owner', operator: 'in', value: { fact: 'user', path: '$.team_members' } })).toEqual([
    'core.user',
  ]);
});
