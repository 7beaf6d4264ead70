import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import type { Field } from '../model.ts';
import type { Value } from '../value-type.ts';
import { context, fieldOf } from '../testing/fields.ts';
import { fieldTypes } from './index.ts';

const ajv = new Ajv2020({ strict: false });
addFormatsModule.default(ajv);

/** What the write path does with a value: the schema first, then `normalise`. */
function write(field: Field, value: unknown): unknown {
  const schema = field.type.inputSchema(field);
  if (schema === null) return 'read-only';
  if (!ajv.validate(schema, value)) return 'schema';
  const parsed = field.type.normalise(value as Value, field, context);
  return 'error' in parsed ? parsed.error.code : parsed.value;
}

function cell(field: Field, text: string, more = {}): unknown {
  const parsed = field.type.importCell(text, field, { ...context, ...more });
  return 'error' in parsed ? parsed.error.code : parsed.value;
}

const stages = {
  choices: [
    { key: 'won', label: 'Closed won', aliases: ['victory'] },
    { key: 'lost', label: 'Lost' },
  ],
};

describe('a value that a client sends', () => {
  test.each([
    ['text', {}, '  a\u0065\u0301 ', 'aé'],
    ['text', {}, 'a\r\n b', 'a b'],
    ['text', {}, '   ', null],
    ['text', { max: 3 }, 'abcd', 'schema'],
    ['text', { max: 3 }, '😀😀😀', '😀😀😀'],
    ['text', { min: 2 }, 'a', 'schema'],
    ['text', { pattern: '^[A-Z]+$' }, 'abc', 'schema'],
    ['text', {}, 'a\u0000b', 'control_character'],
    ['text', {}, 'a\uD800', 'control_character'],
    ['long_text', {}, ' a\r\nb ', 'a\nb'],
    ['email', {}, ' Jane.Doe@Example.COM ', 'jane.doe@example.com'],
    ['email', {}, 'jane@localhost', 'email'],
    ['email', {}, 'jane doe@example.com', 'email'],
    ['phone', {}, '030 901820', '+4930901820'],
    ['phone', {}, '+1 (212) 555-0123', '+12125550123'],
    ['phone', {}, '12', 'phone'],
    ['phone', {}, '+1 212 555 0123 ext. 5', 'phone_extension'],
    ['url', {}, 'example.com', 'https://example.com'],
    ['url', {}, 'HTTP://Example.com/A?b=c#d', 'http://example.com/A?b=c#d'],
    ['url', {}, 'javascript:alert(1)', 'url'],
    ['url', {}, 'ftp://example.com', 'url'],
    ['url', {}, 'https://user:secret@example.com', 'url'],
    ['time', {}, '9:30', 'schema'],
    ['time', {}, '09:30', '09:30:00'],
    ['time', { max: '18:00' }, '18:00:01', 'too_large'],
    ['duration', {}, 90, 90],
    ['duration', {}, '90', 90],
    ['duration', {}, '1:30', 5400],
    ['duration', {}, '1:30:15', 5415],
    ['duration', {}, '90m', 5400],
    ['duration', {}, '1h 30m', 5400],
    ['duration', {}, '1.5 hours', 5400],
    ['duration', {}, '2 days', 172_800],
    ['duration', {}, 'PT1H30M', 5400],
    ['duration', {}, 'P1DT0.5S', 'duration_fraction'],
    ['duration', {}, 'P1M', 'duration'],
    ['duration', {}, '30m 1h', 'duration'],
    ['duration', {}, '1:60', 'duration'],
    ['duration', { min: -60 }, '-1m', -60],
    ['duration', {}, '-1m', 'too_small'],
    ['duration', {}, '999999999999:00', 3_599_999_999_996_400],
    ['duration', {}, '9999999999999w', 'too_large'],
    ['rating', { max: 3 }, 4, 'schema'],
    ['colour', {}, '#FFF', '#ffffff'],
    ['colour', {}, 'red', 'colour'],
    ['country', {}, 'de', 'DE'],
    ['country', {}, 'EU', 'country'],
    ['multiple_choice', stages, ['lost', 'won', 'lost'], ['won', 'lost']],
    ['multiple_choice', stages, [], null],
    ['integer', {}, 5, 5],
    ['integer', {}, 5.5, 'schema'],
    ['integer', { max: 4 }, 5, 'schema'],
    ['integer', {}, 2 ** 53, 'schema'],
    ['decimal', {}, '10.5', '10.50'],
    ['decimal', {}, '10.500', '10.50'],
    ['decimal', {}, '10.505', 'too_many_decimals'],
    ['decimal', {}, '-0.00', '0.00'],
    ['decimal', { precision: 4, scale: 2 }, '100', 'number_too_large'],
    ['decimal', { max: '9.99' }, '10', 'too_large'],
    ['decimal', {}, 10.5, 'schema'],
    ['decimal', { scale: 0 }, '7.0', '7'],
    ['money', {}, '4514', '4514.00'],
    ['money', { min: 0 }, '-1', 'too_small'],
    ['money', {}, '123456789012345678901', 'number_too_large'],
    ['currency', {}, 'usd', 'USD'],
    ['currency', {}, 'QQQ', 'currency'],
    ['percent', {}, '12.5', '12.50'],
    ['percent', { max: 100 }, '101', 'too_large'],
    ['boolean', {}, true, true],
    ['boolean', {}, 'true', 'schema'],
    ['date', {}, '2024-02-29', '2024-02-29'],
    ['date', {}, '2023-02-29', 'schema'],
    ['datetime', {}, '2026-01-31T10:00:00+02:00', '2026-01-31T08:00:00.000Z'],
    ['datetime', {}, '2026-01-31T10:00:00.123456Z', '2026-01-31T10:00:00.123Z'],
    ['datetime', {}, '2026-01-31', 'schema'],
    ['choice', stages, 'won', 'won'],
    ['choice', stages, 'wonn', 'schema'],
    ['state', stages, 'lost', 'lost'],
    ['reference', { to: 'a' }, '0190A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B', '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'],
    ['reference', { to: 'a' }, 'acme', 'schema'],
    ['tags', {}, ['b', ' a ', 'b', ''], ['b', 'a']],
    ['tags', {}, [], null],
    ['tags', {}, ['a;b'], 'tag'],
    ['tags', { max: 1 }, ['a', 'b'], 'too_many'],
    ['sequence', {}, 'O-1', 'read-only'],
    ['formula', { returns: 'money', expr: '1' }, '1', 'read-only'],
    ['uuid', {}, '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b', 'read-only'],
  ])('%s %j: %j becomes %j', (type, options, value, expected) => {
    expect(write(fieldOf(type, options), value)).toEqual(expected);
  });

  test('an empty text is no value, so a required field refuses it', () => {
    const required = fieldOf('text', {}, { required: true });
    expect(write(required, '')).toBe('schema');
    expect(write(required, '  ')).toBe('required');
    expect(write(fieldOf('tags', {}, { required: true }), [])).toBe('required');
  });
});

describe('a cell of a file', () => {
  test.each([
    ['text', {}, 'abc', 'abc'],
    ['text', { max: 2 }, 'abc', 'too_long'],
    ['text', { pattern: '^[A-Z]+$' }, 'abc', 'pattern'],
    ['email', {}, 'Jane Doe <Jane@Example.com>', 'jane@example.com'],
    ['email', {}, 'mailto:jane@example.com', 'jane@example.com'],
    ['phone', {}, 'tel:+49-30-901820', '+4930901820'],
    ['integer', {}, '1,200', 1200],
    ['integer', {}, '1 200 300', 1_200_300],
    ['integer', {}, '5.0', 5],
    ['integer', {}, '5.5', 'integer'],
    ['integer', {}, '99999999999999999', 'number_too_large'],
    ['integer', {}, '٢٠٢٦', 2026],
    ['decimal', {}, '1,200.50', '1200.50'],
    ['decimal', {}, '1.200,50', '1200.50'],
    ['decimal', {}, "1'200.5", '1200.50'],
    ['decimal', {}, '(1,200.50)', '-1200.50'],
    ['decimal', {}, '12-', '-12.00'],
    ['decimal', {}, '1,23', 'ambiguous_number'],
    ['decimal', {}, '0,500', 'ambiguous_number'],
    ['decimal', {}, '1,23,456', 'number'],
    ['decimal', {}, '٣٫٥', '3.50'],
    ['decimal', {}, '1e5', 'number'],
    ['decimal', {}, '.5', '0.50'],
    ['money', {}, 'USD 1,200.50', '1200.50'],
    ['money', {}, '1.200,50 €', '1200.50'],
    ['money', {}, '-€5', '-5.00'],
    ['money', {}, '$1,054', '1054.00'],
    ['money', {}, 'XXL 5', 'number'],
    ['percent', {}, '12%', '12.00'],
    ['percent', {}, '12.5 %', '12.50'],
    ['boolean', {}, 'Yes', true],
    ['boolean', {}, '0', false],
    ['boolean', {}, 'نعم', true],
    ['boolean', {}, 'maybe', 'boolean'],
    ['date', {}, '2026-01-31', '2026-01-31'],
    ['date', {}, '2026/1/31', '2026-01-31'],
    ['date', {}, '20260131', '2026-01-31'],
    ['date', {}, '31/01/2026', '2026-01-31'],
    ['date', {}, '01/31/2026', '2026-01-31'],
    ['date', {}, '31.1.2026', '2026-01-31'],
    ['date', {}, '3.4.2026', '2026-04-03'],
    ['date', {}, '3/3/2026', '2026-03-03'],
    ['date', {}, '3/4/2026', 'ambiguous_date'],
    ['date', {}, '31 Jan 2026', '2026-01-31'],
    ['date', {}, 'January 31st, 2026', '2026-01-31'],
    ['date', {}, '2026-01-31 00:00:00', '2026-01-31'],
    ['date', {}, '31/02/2026', 'date'],
    ['date', {}, '1/2/26', 'date'],
    ['date', {}, '31 Foo 2026', 'date'],
    ['datetime', {}, '2026-01-31 10:00', '2026-01-31T09:00:00.000Z'],
    ['datetime', {}, '2026-07-31 10:00', '2026-07-31T08:00:00.000Z'],
    ['datetime', {}, '2026-01-31T10:00:00Z', '2026-01-31T10:00:00.000Z'],
    ['datetime', {}, '31/01/2026 10:05 PM', '2026-01-31T21:05:00.000Z'],
    ['datetime', {}, '2026-03-29 02:30', '2026-03-29T01:30:00.000Z'],
    ['datetime', {}, '2026-10-25 02:30', '2026-10-25T00:30:00.000Z'],
    ['datetime', {}, '2026-01-31', '2026-01-30T23:00:00.000Z'],
    ['datetime', {}, '2026-01-31 25:00', 'datetime'],
    ['choice', stages, 'WON', 'won'],
    ['choice', stages, 'closed WON', 'won'],
    ['choice', stages, 'Victory', 'won'],
    ['choice', stages, 'draw', 'choice'],
    ['reference', { to: 'a' }, 'Acme Corporation', 'Acme Corporation'],
    ['tags', {}, 'a; b,c', ['a', 'b', 'c']],
    ['children', { of: 'x' }, 'a', 'children'],
    ['formula', { returns: 'integer', expr: '1' }, '1', 'read_only'],
  ])('%s %j: %j becomes %j', (type, options, text, expected) => {
    expect(cell(fieldOf(type, options), text)).toEqual(expected);
  });

  test('says what the file means when the reader cannot know', () => {
    expect(cell(fieldOf('date'), '3/4/2026', { dateOrder: 'dmy' })).toBe('2026-04-03');
    expect(cell(fieldOf('date'), '3/4/2026', { dateOrder: 'mdy' })).toBe('2026-03-04');
    expect(cell(fieldOf('decimal'), '1,23', { decimalMark: ',' })).toBe('1.23');
    expect(cell(fieldOf('decimal'), '1.234', { decimalMark: ',' })).toBe('1234.00');
  });

  test('an amount brings its currency along', () => {
    const money = fieldOf('money');
    expect(money.type.importCell('USD 1,200.50', money, context)).toEqual({
      value: '1200.50',
      also: { x_currency: 'USD' },
    });
    expect(money.type.importCell('1,200.50', money, context)).toEqual({ value: '1200.50' });
  });

  test('a choice that is misspelled is told what it probably was', () => {
    const field = fieldOf('choice', { choices: [{ key: 'technology', label: 'Technology' }] });
    expect(field.type.importCell('technolgy', field, context)).toMatchObject({
      error: { params: { nearest: 'Technology' } },
    });
  });
});

describe('the column', () => {
  test.each([
    ['text', { max: 40, min: 2 }, 'text', ['char_length({}) <= 40', 'char_length({}) >= 2']],
    ['text', { pattern: "^[a-z']+$" }, 'text', ['char_length({}) <= 200', "{} ~ '^[a-z'']+$'"]],
    ['integer', { min: 0, max: 9 }, 'bigint', ['{} between 0 and 9']],
    ['decimal', { precision: 10, scale: 3 }, 'numeric(10,3)', []],
    ['money', { min: 0 }, 'numeric(19,2)', ['{} >= 0']],
    ['percent', { max: '99.5' }, 'numeric(9,2)', ['{} <= 99.5']],
    ['choice', stages, 'text', ["{} in ('won', 'lost')"]],
    ['datetime', {}, 'timestamptz(3)', []],
    ['tags', {}, 'text[]', ['cardinality({}) <= 50']],
    ['reference', { to: 'a' }, 'uuid', []],
  ])('%s %j is %s', (type, options, sql, checks) => {
    const field = fieldOf(type, options);
    const [column] = field.type.columns(field);
    expect(column).toMatchObject({ name: 'x', type: sql });
    expect((column?.checks ?? []).map((check) => check.sql)).toEqual(checks);
  });

  test('a sequence describes its numbers, a formula leaves its SQL to the schema, children have none', () => {
    const sequence = fieldOf('sequence', { prefix: 'O-', digits: 4, start: 100 });
    expect(sequence.type.columns(sequence)).toMatchObject([{ sequence: { prefix: 'O-', digits: 4, start: 100 } }]);
    const formula = fieldOf('formula', { returns: 'money', expr: 'a' });
    expect(formula.type.columns(formula)).toEqual([{ name: 'x', type: 'numeric(38,2)', computed: true }]);
    expect(formula.type).toMatchObject({ key: 'formula', valueType: 'decimal', sortable: true });
    expect(fieldOf('children', { of: 'x' }).type.columns(fieldOf('children', { of: 'x' }))).toEqual([]);
  });
});

test('every type is complete: schemas compile, operators fit, a widget and a description of each option', () => {
  for (const [key, type] of fieldTypes) {
    const field = fieldOf(key, { choices: [{ key: 'a', label: 'A' }], returns: 'money', to: 'x', of: 'x' });
    expect(type.key).toBe(key);
    expect(type.widget(field)).toMatch(/^[a-z]+$/);
    expect(() => ajv.compile(type.outputSchema(field))).not.toThrow();
    expect(() => ajv.compile(type.inputSchema(field) ?? {})).not.toThrow();
    expect(type.operators.length > 0).toBe(type.valueType !== null);
    const properties = type.options['properties'] as Record<string, { description?: string }>;
    for (const [name, option] of Object.entries(properties))
      expect(option.description, `${key}.${name}`).toMatch(/\.$/);
  }
});
