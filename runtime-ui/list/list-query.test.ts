import { array, assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entity } from '../shared/sample.ts';
import { apiQuery, formatList, formatListQuery, type ListQuery, parseList, parseListQuery } from './list-query.ts';

describe('the address of a list', () => {
  it('says view, search, order and filters in the grammar of the API', () => {
    const query: ListQuery = {
      view: 'open',
      search: 'acme & co',
      order: [
        { field: 'amount', descending: true },
        { field: 'name', descending: false },
      ],
      filters: [
        { field: 'stage', operator: 'in', values: ['won', 'lost'] },
        { field: 'name', operator: 'eq', values: ['x'] },
        { field: 'amount', operator: 'null', values: ['true'] },
      ],
    };
    const text = '$view=open&$search=acme%20%26%20co&$order=-amount,name&stage[in]=won,lost&name=x&amount[null]=true';
    expect(formatListQuery(query)).toBe(text);
    expect(parseListQuery(text, entity)).toEqual(query);
  });

  it('leaves out fields and operators it does not know', () => {
    expect(parseListQuery('?secret=1&name[zap]=2&$order=secret,-name&$foo=1', entity)).toEqual({
      view: null,
      search: '',
      order: [{ field: 'name', descending: true }],
      filters: [],
    });
  });

  it('keeps any values through address and back', () => {
    const values = array(string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 });
    assert(
      property(values, string(), (list, search) => {
        const query: ListQuery = {
          view: null,
          search,
          order: [],
          filters: [{ field: 'stage', operator: 'in', values: list }],
        };
        expect(parseListQuery(formatListQuery(query), entity)).toEqual(query);
      }),
    );
  });

  it('quotes commas and quotes in lists', () => {
    expect(formatList(['a', 'b,c', 'd"e'])).toBe('a,"b,c","d""e"');
    expect(parseList('a,"b,c","d""e"')).toEqual(['a', 'b,c', 'd"e']);
  });

  it('sends the view only when the server has to filter by it', () => {
    const query: ListQuery = { view: 'all', search: '', order: [], filters: [] };
    const view = { key: 'all', label: 'All', columns: [], order: '', filtered: false };
    expect(apiQuery(query, view, 'id,account(id,_title)', [{ field: 'name', descending: false }])).toBe(
      '$select=id,account(id,_title)&$order=name',
    );
    expect(apiQuery(query, { ...view, filtered: true }, 'id', [])).toBe('$select=id&$view=all');
  });
});
