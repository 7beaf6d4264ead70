import { expect, test } from 'vitest';
import { field } from '../shared/sample.ts';
import { mergeable } from './mergeable.ts';

test('is offered where a merge can take a value, and nowhere else', () => {
  const via = { entity: 'crm.contact', via: 'links', field: 'friends' } as const;
  const fields = [
    field('name'),
    field('iban', { type: 'encrypted' }),
    field('plan', { type: 'file' }),
    field('photo', { type: 'image' }),
    field('friends', { type: 'links', list: via }),
    field('number', { onUpdate: false }),
  ];
  expect(fields.filter(mergeable).map(({ key }) => key)).toEqual(['name']);
});
