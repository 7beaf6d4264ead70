import { expect, test } from 'vitest';
import { toWire } from '../form/wire.ts';
import { entity, field, model } from '../shared/sample.ts';
import { usualCurrency } from './model.ts';

const amount = entity.fields.find(({ key }) => key === 'amount') ?? field('amount');

test('an amount begins with the currency its field has, and with none where the server finds it', () => {
  expect(usualCurrency(model, amount)).toBe('AED');
  expect(toWire(model, [amount], 'create', { amount: { amount: '5' } })).toEqual({
    amount: '5',
    amount_currency: 'AED',
  });
  const fields = entity.fields.map((one) => (one.key === 'amount_currency' ? { ...one, default: null } : one));
  const found = { ...model, entities: { [entity.name]: { ...entity, fields } } };
  expect(usualCurrency(found, amount)).toBeNull();
  expect(toWire(found, [amount], 'create', { amount: { amount: '5' } })).toEqual({ amount: '5' });
});
