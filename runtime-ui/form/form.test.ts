import { describe, expect, it } from 'vitest';
import { entity, field, model } from '../shared/sample.ts';
import { layoutSchema, sectionsOf, wireSchema } from './form-schema.ts';
import { serverErrors } from './server-errors.ts';
import { check } from './validator.ts';
import { formPath, toForm, toPatch, toWire, type Values } from './wire.ts';

const fields = sectionsOf(entity, 'update').flatMap((section) => section.fields);
const stored = {
  id: 'o1',
  name: 'Harbour',
  account: { id: 'a1', _title: 'Blue Reef' },
  stage: 'won',
  amount: '10.00',
  amount_currency: 'USD',
  lines: [
    { id: 'l1', product: 'Rope', quantity: 2, total: '4.00' },
    { id: 'l2', product: 'Sail', quantity: 1, total: '6.00' },
  ],
};
const values = toForm(model, fields, stored);

describe('the form of a record', () => {
  it('asks on creation only for what can be filled in', () => {
    expect(sectionsOf(entity, 'create').flatMap((section) => section.fields.map((each) => each.key))).toEqual([
      'name',
      'account',
      'amount',
      'lines',
    ]);
  });

  it('adds required fields that the form document forgot', () => {
    const forgetful = { ...entity, fields: [...entity.fields, field('code', { required: true })] };
    expect(sectionsOf(forgetful, 'create').at(-1)?.fields.at(-1)?.key).toBe('code');
  });

  it('marks required fields', () => {
    expect(layoutSchema(fields, 'create').required).toEqual(['name']);
  });

  it('holds an amount with its currency, and a reference with its title', () => {
    expect(values['amount']).toEqual({ amount: '10.00', currency: 'USD' });
    expect(values['account']).toEqual({ id: 'a1', _title: 'Blue Reef' });
  });

  it('sends nothing when nothing changed', () => {
    expect(toPatch(model, fields, values, values)).toEqual({});
  });

  it('sends only what changed, and null for what was cleared', () => {
    const after = { ...values, name: 'Harbour 2', account: undefined, amount: { amount: '11.00', currency: 'EUR' } };
    expect(toPatch(model, fields, values, after)).toEqual({
      name: 'Harbour 2',
      account: null,
      amount: '11.00',
      amount_currency: 'EUR',
    });
  });

  it('sends rows as created, changed and deleted', () => {
    const after = { ...values, lines: [{ id: 'l2', product: 'Sail', quantity: 5 }, { product: 'Oar' }] };
    expect(toPatch(model, fields, values, after)).toEqual({
      lines: { create: [{ product: 'Oar' }], update: [{ id: 'l2', quantity: 5 }], delete: ['l1'] },
    });
  });

  it('creates with rows as an array, without computed values', () => {
    expect(toWire(model, fields, 'create', values)).toEqual({
      name: 'Harbour',
      account: 'a1',
      amount: '10.00',
      amount_currency: 'USD',
      lines: [
        { product: 'Rope', quantity: 2 },
        { product: 'Sail', quantity: 1 },
      ],
    });
  });
});

describe('checking a form', () => {
  const schema = wireSchema(model, entity, fields, 'create');
  const findings = (form: Values) =>
    check(schema, toWire(model, fields, 'create', form)).map((each) => [each.path.join('.'), each.text]);

  it('finds nothing in a good record', () => {
    expect(findings({ name: 'x', amount: { amount: '1.5' }, lines: [{ product: 'Rope', quantity: 1 }] })).toEqual([]);
  });

  it('finds missing and malformed values, also in rows', () => {
    expect(findings({ amount: { amount: 'ten' }, lines: [{ quantity: 0 }] })).toEqual([
      ['name', 'form.required'],
      ['amount', 'form.pattern'],
      ['lines.0.product', 'form.required'],
      ['lines.0.quantity', 'form.minimum'],
    ]);
  });
});

describe('refusals of the server', () => {
  const after = { ...values, lines: [{ product: 'Oar' }, { id: 'l2', product: '', quantity: 5 }, { product: 'Mast' }] };
  const body = toPatch(model, fields, values, after);
  const path = (pointer: string) => formPath(model, entity, body, after, pointer);

  it('are traced to the fields of the form', () => {
    expect(path('/name')).toEqual(['name']);
    expect(path('/amount_currency')).toEqual(['amount']);
    expect(path('/lines/create/1/product')).toEqual(['lines', '2', 'product']);
    expect(path('/lines/update/0/quantity')).toEqual(['lines', '1', 'quantity']);
    expect(path('/lines/1/quantity')).toEqual(['lines', '1', 'quantity']);
    expect(path('/secret')).toEqual([]);
  });

  it('stand beside their field, or above the form when it is not shown', () => {
    const errors = [
      { code: 'unique', message: 'Taken.', pointer: '/name' },
      { code: 'invalid', message: 'Too many.', pointer: '/lines/1/quantity' },
      { code: 'invalid', message: 'Not today.' },
    ];
    expect(serverErrors(errors, path, ['name', 'lines'])).toEqual({
      beside: { name: { __errors: ['Taken.'] }, lines: { 1: { quantity: { __errors: ['Too many.'] } } } },
      other: ['Not today.'],
    });
  });
});
