import { describe, expect, test } from 'vitest';
import type { Identities } from './documents.ts';
import { assignIdentities } from './identities.ts';
import { releaseOf } from './testing/fields.ts';

type Documents = readonly Readonly<Record<string, unknown>>[];
const deal = (fields: Documents, more = {}) => ({
  kind: 'entity',
  key: 'deal',
  plural: 'deals',
  label: 'Deal',
  fields,
  ...more,
});
const text = (key: string, more = {}) => ({ key, type: 'text', ...more });
const assign = (release: number, previous: Identities | undefined, ...documents: Documents) =>
  assignIdentities(releaseOf(documents, [], release), previous);

const first = assign(1, undefined, deal([text('name'), { key: 'amount', type: 'money' }]));

describe('an identity', () => {
  test('is made of tenant, name and release', () => {
    expect(first.entities['shop.deal']).toMatch(/^e_[0-9a-f]{12}$/);
    expect(first.fields['shop.deal.name']).toMatch(/^f_[0-9a-f]{12}$/);
    expect(first.fields['shop.deal.amount_currency']).toBeDefined();
    expect(first.fields['shop.deal.created_at']).toBeDefined();
    expect(assign(1, undefined, deal([text('name'), { key: 'amount', type: 'money' }]))).toEqual(first);
  });

  test('stays while the key stays', () => {
    const second = assign(2, first, deal([text('name', { label: 'Title' }), text('region')]));
    expect(second.entities['shop.deal']).toBe(first.entities['shop.deal']);
    expect(second.fields['shop.deal.name']).toBe(first.fields['shop.deal.name']);
    expect(second.fields['shop.deal.amount']).toBeUndefined();
  });

  test('goes along with a rename, the currency with its amount', () => {
    const second = assign(
      2,
      first,
      deal([text('title', { was: 'name' }), { key: 'value', was: 'amount', type: 'money' }]),
    );
    expect(second.fields['shop.deal.title']).toBe(first.fields['shop.deal.name']);
    expect(second.fields['shop.deal.value_currency']).toBe(first.fields['shop.deal.amount_currency']);
    // "was" may stay in the document for ever.
    expect(assign(3, second, deal([text('title', { was: 'name' })])).fields['shop.deal.title']).toBe(
      first.fields['shop.deal.name'],
    );
  });

  test('goes along when an entity is renamed, for all of its fields', () => {
    const second = assign(
      2,
      first,
      deal([text('title', { was: 'name' })], { key: 'bargain', was: 'deal', plural: 'bargains' }),
    );
    expect(second.entities['shop.bargain']).toBe(first.entities['shop.deal']);
    expect(second.fields['shop.bargain.title']).toBe(first.fields['shop.deal.name']);
    expect(second.fields['shop.bargain.id']).toBe(first.fields['shop.deal.id']);
  });

  test('is new for a field that comes back under an old key: it inherits nothing', () => {
    const second = assign(2, first, deal([text('other')]));
    const third = assign(3, second, deal([text('other'), text('name')]));
    expect(third.fields['shop.deal.name']).not.toBe(first.fields['shop.deal.name']);
    // A rollback names the release it brings back.
    expect(assign(3, first, deal([text('name')])).fields['shop.deal.name']).toBe(first.fields['shop.deal.name']);
  });

  test('is not taken by "was" from a field that is still there', () => {
    const second = assign(2, first, deal([text('name'), text('title', { was: 'name' })]));
    expect(second.fields['shop.deal.name']).toBe(first.fields['shop.deal.name']);
    expect(second.fields['shop.deal.title']).not.toBe(first.fields['shop.deal.name']);
  });

  test('of what a type brings along follows the field, whoever takes its old key', () => {
    const money = (key: string, id?: string) => ({ key, type: 'money', ...(id !== undefined && { id }) });
    const one = assign(1, undefined, deal([money('net'), money('gross')]));
    const { 'shop.deal.net': net, 'shop.deal.gross': gross } = one.fields;
    const two = assign(2, one, deal([money('gross', net), money('net', gross)]));
    expect(two.fields['shop.deal.gross_currency']).toBe(one.fields['shop.deal.net_currency']);
    expect(two.fields['shop.deal.net_currency']).toBe(one.fields['shop.deal.gross_currency']);
    const on = assign(2, one, deal([money('gross', net), money('total', gross)]));
    expect(on.fields['shop.deal.gross_currency']).toBe(one.fields['shop.deal.net_currency']);
    expect(on.fields['shop.deal.total_currency']).toBe(one.fields['shop.deal.gross_currency']);
  });

  test('of an entity that takes another’s name brings the fields along that it had', () => {
    const one = assign(1, undefined, deal([text('name')]), deal([text('name')], { key: 'offer', plural: 'offers' }));
    const id = one.entities['shop.offer'];
    const two = assign(2, one, deal([text('name')], { id }));
    expect(two.fields['shop.deal.id']).toBe(one.fields['shop.offer.id']);
    expect(two.fields['shop.deal.name']).toBe(one.fields['shop.offer.name']);
  });

  test('that comes back by its id is that of the release that had it, with all that belongs to it', () => {
    const gone = assignIdentities(releaseOf([deal([text('other')])], [], 2), first);
    const { 'shop.deal.amount': id } = first.fields;
    const documents = [deal([text('other'), { key: 'sum', type: 'money', id }])];
    const back = assignIdentities(releaseOf(documents, [], 3), gone, [first]);
    expect(back.fields['shop.deal.sum_currency']).toBe(first.fields['shop.deal.amount_currency']);
    const offer = deal([text('title')], { key: 'offer', plural: 'offers', id: first.entities['shop.deal'] });
    const again = assignIdentities(releaseOf([offer], [], 3), { entities: {}, fields: {}, permissions: {} }, [first]);
    expect(again.fields['shop.offer.id']).toBe(first.fields['shop.deal.id']);
  });

  test('may be given by the document, but not twice', () => {
    const id = 'f_0123456789ab';
    expect(assign(2, first, deal([text('name', { id })])).fields['shop.deal.name']).toBe(id);
    expect(() => assign(2, first, deal([text('a', { id }), text('b', { id })]))).toThrow(
      'two things cannot come from one',
    );
    expect(() => assign(2, first, deal([text('a', { was: 'name' }), text('b', { was: 'name' })]))).toThrow(
      'two things cannot come from one',
    );
  });
});
