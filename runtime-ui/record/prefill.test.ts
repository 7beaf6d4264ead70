import { expect, test } from 'vitest';
import { entity, field, model } from '../shared/sample.ts';
import { prefillOf, targetOf } from './prefill.ts';

const regarding = field('regarding', {
  type: 'any_reference',
  valueType: null,
  targets: ['crm.opportunity'],
  companions: ['regarding_opportunity', 'regarding_entity'],
  schema: { type: 'object' },
});
const behind = field('regarding_opportunity', {
  type: 'reference',
  valueType: 'uuid',
  reference: 'crm.opportunity',
  companionOf: 'regarding',
});
const call = { ...entity, name: 'crm.call', fields: [field('subject'), regarding, behind] };

test('a new record of the list of a record that it refers to begins with that reference', () => {
  expect(prefillOf(entity, 'account=a1&stage=won&nothing=1')).toEqual({ account: { id: 'a1' } });
  const values = prefillOf(call, 'regarding_opportunity=o1&subject=Hello');
  expect(values).toEqual({ subject: 'Hello', regarding: { entity: 'crm.opportunity', id: 'o1' } });
  expect(targetOf(model, regarding, values['regarding'])).toBe(entity);
  expect(targetOf(model, behind, { id: 'o1' })).toBe(entity);
  expect(targetOf(model, regarding, undefined)).toBeUndefined();
});

test('what the person may not fill in stays empty', () => {
  const locked = { ...call, fields: [{ ...regarding, onCreate: false }, behind] };
  expect(prefillOf(locked, 'regarding_opportunity=o1')).toEqual({});
});
