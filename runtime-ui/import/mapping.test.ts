import { describe, expect, it } from 'vitest';
import { entity, field, model } from '../shared/sample.ts';
import { duplicates, matchable, proposed, settingsOf, unmapped } from './mapping.ts';

const account = { ...entity, name: 'crm.account', fields: [field('name'), field('code')], uniqueKeys: [['code']] };
const deal = { ...entity, uniqueKeys: [['name'], ['name', 'account']] };
const full = { ...model, entities: { ...model.entities, 'crm.account': account } };
const upload = {
  id: 'i1',
  columns: ['Name', 'Company', 'Rubbish', 'State'],
  sample: [],
  mapping: { Name: 'name', Company: 'account', Rubbish: null, State: 'stage' },
  rows: 3,
  sheets: [],
  sheet: null,
};

describe('the columns of a file', () => {
  it('go where the server proposed, as far as the user may write there; references are found by a unique field', () => {
    expect(proposed(full, deal, upload)).toEqual({
      Name: { field: 'name' },
      Company: { field: 'account', by: 'code' },
      Rubbish: null,
      State: null,
    });
  });

  it('may not go to the same field twice', () => {
    expect(duplicates({ a: { field: 'name' }, b: { field: 'name' }, c: { field: 'email' }, d: null })).toEqual([
      'name',
    ]);
  });

  it('should cover what is required', () => {
    expect(unmapped(deal, { a: { field: 'email' } }).map((each) => each.key)).toEqual(['name']);
  });

  it('offer the unique keys they cover to match by', () => {
    expect(matchable(deal, { a: { field: 'name' } })).toEqual([['name']]);
  });

  it('are sent without those left out', () => {
    expect(settingsOf({ a: { field: 'name' }, b: null }, ['name'], true, true)).toEqual({
      mapping: { a: { field: 'name' } },
      upsertBy: ['name'],
      dryRun: true,
      duplicates: 'report',
    });
  });
});
