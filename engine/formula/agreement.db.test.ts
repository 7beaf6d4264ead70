/** The evaluator and Postgres compute the same, in a query and in a VIRTUAL generated column. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { literal, quote } from '#engine/db/identifiers.ts';
import { SQL_TYPE, type Value, type ValueType } from '#engine/model/value-type.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { evaluateFormula } from './evaluate.ts';
import type { Formula } from './formula.ts';
import { orderFormulas } from './order.ts';
import { parseFormula } from './parse.ts';
import { FIELDS, formulas, record } from './testing/arbitraries.ts';
import { formulaToSql } from './to-sql.ts';

const { superuser } = await testDatabase();
await superuser.query(`set timezone = 'UTC'; create schema lab`);

/** JSON of a computed column, in the form the evaluator answers. */
function asJson(sql: string, type: ValueType): string {
  if (type === 'datetime') return `to_char(${sql}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return type === 'decimal' ? `(${sql})::text` : sql;
}

function columnType(type: ValueType): string {
  return type === 'datetime' ? 'timestamptz(3)' : SQL_TYPE[type];
}

function valuesOf(rows: readonly Readonly<Record<string, Value>>[]): string {
  const line = (row: Readonly<Record<string, Value>>) =>
    [...FIELDS].map(([key, { valueType }]) => {
      const value = row[key] ?? null;
      return `${value === null ? 'null' : literal(String(value))}::${columnType(valueType)}`;
    });
  return rows.map((row) => `(${line(row).join(', ')})`).join(', ');
}

const keys = [...FIELDS.keys()].map(quote).join(', ');

describe('a formula gives the same value', () => {
  // 60 × 30 formulas × 25 records, each computed three times.
  it('in the evaluator, in a query and in a generated column', { timeout: 300_000 }, async () => {
    const cases = fc.tuple(
      fc.array(formulas, { minLength: 5, maxLength: 5 }),
      fc.array(record, { minLength: 25, maxLength: 25 }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([sources, rows]) => {
        const parsed = sources.flatMap((each) =>
          (Object.keys(each) as (keyof typeof each)[]).map((returns): Formula => {
            const scale = returns === 'decimal' ? { scale: 2, digits: 17 } : {};
            return parseFormula(each[returns], { fields: FIELDS, returns, pointer: '', ...scale });
          }),
        );
        const computed = parsed.map((formula, index) =>
          asJson(
            formulaToSql(formula, (key) => `x.${quote(key)}`),
            formula.type,
          ).concat(` as q${index}`),
        );
        const generated = parsed.map((formula, index) => {
          return `g${index} ${columnType(formula.type)} generated always as (${formulaToSql(formula, quote)}) virtual`;
        });
        const read = parsed.map((formula, index) => asJson(`x.g${index}`, formula.type).concat(` as g${index}`));
        const columns = [...FIELDS].map(([key, { valueType }]) => `${quote(key)} ${columnType(valueType)}`);
        await superuser.query('begin');
        try {
          await superuser.query(
            `create table lab.record (line integer generated always as identity, ${[...columns, ...generated].join(', ')})`,
          );
          await superuser.query(`insert into lab.record (${keys}) values ${valuesOf(rows)}`);
          const result = await superuser.query<{ json: Record<string, Value> }>(
            `select to_jsonb(r) as json from (select ${[...computed, ...read].join(', ')} from lab.record x order by line) r`,
          );
          for (const [line, row] of rows.entries()) {
            for (const [index, formula] of parsed.entries()) {
              const expected = evaluateFormula(formula, row);
              const found = result.rows[line]?.json;
              const { source } = formula;
              expect({ source, row, query: found?.[`q${index}`], generated: found?.[`g${index}`] }).toEqual({
                source,
                row,
                query: expected,
                generated: expected,
              });
            }
          }
        } finally {
          await superuser.query('rollback');
        }
      }),
      { numRuns: 60 },
    );
  });

  it('when it refers to other formulas', async () => {
    const fields = new Map<string, { valueType: ValueType }>([
      ...FIELDS,
      ['expected', { valueType: 'decimal' }],
      ['per_day', { valueType: 'decimal' }],
      ['length_of_stay', { valueType: 'integer' }],
    ]);
    const options = (pointer: string) => ({ fields, pointer, returns: 'decimal', scale: 2, digits: 17 }) as const;
    const parsed = new Map([
      ['per_day', parseFormula('expected / length_of_stay', options('/a'))],
      ['expected', parseFormula('amount * probability / 100', options('/b'))],
      ['length_of_stay', parseFormula('days_between(begun, due) + 1', { fields, pointer: '/c', returns: 'integer' })],
    ]);
    const { order, inlined } = orderFormulas(parsed);
    expect(order).toEqual(['expected', 'length_of_stay', 'per_day']);
    const row = { amount: '999.99', probability: '33', begun: '2026-01-30', due: '2026-02-01' };
    const sql = formulaToSql(inlined.get('per_day') as Formula, (key) => `x.${quote(key)}`);
    const { rows } = await superuser.query<{ value: string }>(
      `select ${sql} as value from (values (999.99::numeric, 33::numeric, '2026-01-30'::date, '2026-02-01'::date)) x(amount, probability, begun, due)`,
    );
    expect(evaluateFormula(inlined.get('per_day') as Formula, row)).toBe('110.00');
    expect(rows[0]?.value).toBe('110.00');
  });

  it('at the greatest length, in a generated column', async () => {
    const fields = new Map([['n', { valueType: 'decimal' }]] as const);
    const source = Array.from({ length: 999 }, () => 'n').join('*');
    const formula = parseFormula(source, { fields, returns: 'decimal', pointer: '', scale: 2, digits: 900 });
    await superuser.query(
      `create table lab.long (n numeric, product numeric generated always as (${formulaToSql(formula, quote)}) virtual)`,
    );
    await superuser.query('insert into lab.long values (1.01)');
    const { rows } = await superuser.query<{ product: string }>('select product from lab.long');
    expect(evaluateFormula(formula, { n: '1.01' })).toBe(rows[0]?.product);
  });
});

describe('case mapping', () => {
  it('to upper case is the same for every character Postgres knows', async () => {
    const { rows } = await superuser.query<{ code: number; upper: string }>(
      `select code, upper(chr(code) collate pg_unicode_fast) as upper
       from generate_series(1, 1114111) code where code not between 55296 and 57343 and unicode_assigned(chr(code))`,
    );
    const different = rows
      .map((row) => String.fromCodePoint(row.code).toUpperCase())
      .filter((upper, index) => upper !== rows[index]?.upper);
    // Node follows Unicode a little faster; it may know an upper case that Postgres does not know as a character.
    const known = await superuser.query('select x from unnest($1::text[]) x where unicode_assigned(x)', [different]);
    expect(known.rows).toEqual([]);
  });
});
