/** Texts. Length and case go by Unicode code points, without a language. */
import { Decimal } from 'decimal.js';
import type { ValueType } from '../../model/value-type.ts';
import type { Cell, FormulaFunction } from './function.ts';
import { ANY_NUMBER, Exact, strict, TYPE_NAME } from './function.ts';

/** A function of one text. */
function ofText(
  name: string,
  returns: ValueType,
  compute: (text: string) => Cell,
  sql: (text: string) => string,
): FormulaFunction {
  return {
    name,
    arity: [1, 1],
    signature: () => ({ takes: ['text'], returns }),
    evaluate: ([text]) => (typeof text === 'string' ? compute(text) : null),
    decide: strict,
    sql: ([text = '']) => sql(text),
  };
}

/** No dates: Postgres prints them as the session likes, and what depends on the session cannot be a generated column. */
const JOINABLE: readonly ValueType[] = ['text', 'integer', 'decimal', 'boolean', 'uuid'];

/** One text of several values, NULL being the empty text; numbers without superfluous zeros. */
function join(name: string, internal: boolean): FormulaFunction {
  return {
    name,
    arity: [1, ANY_NUMBER],
    ...(internal ? { internal: true } : {}),
    signature(args) {
      const takes = args.map(({ type }) => type ?? 'text');
      const wrong = takes.find((type) => !JOINABLE.includes(type));
      if (wrong !== undefined) return { wrong: `${TYPE_NAME[wrong]} cannot be made part of a text` };
      return { takes, returns: 'text' };
    },
    evaluate: (args) => args.map(asText).join(''),
    sql: (args, types) => `(${args.map((sql, index) => `coalesce(${sqlAsText(sql, types[index])}, '')`).join(' || ')})`,
  };
}

function asText(cell: Cell): string {
  if (cell === null) return '';
  if (cell instanceof Decimal) return cell.isZero() ? '0' : cell.toFixed();
  return String(cell);
}

function sqlAsText(sql: string, type: ValueType | undefined): string {
  if (type === 'integer' || type === 'decimal') return `trim_scale(${sql})::text`;
  return type === 'text' ? sql : `(${sql})::text`;
}

const SPACE = /^[ \t\r\n]$/;

/** Blanks, tabs and line breaks at both ends; not with a regular expression, which is slow on a long row of blanks. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && SPACE.test(text.charAt(from))) from += 1;
  while (to > from && SPACE.test(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

export const TEXT_FUNCTIONS: readonly FormulaFunction[] = [
  join('concat', false),
  join('&', true),
  ofText(
    'upper',
    'text',
    (text) => text.toUpperCase(),
    (sql) => `upper(${sql} collate pg_unicode_fast)`,
  ),
  // Always the sigma of the middle of a word: the two worlds do not agree on where words end (`'Σ`).
  ofText(
    'lower',
    'text',
    (text) => text.replaceAll('Σ', 'σ').toLowerCase(),
    (sql) => `lower(translate(${sql}, 'Σ', 'σ') collate pg_unicode_fast)`,
  ),
  ofText('trim', 'text', trim, (sql) => `btrim(${sql}, E' \\t\\r\\n')`),
  ofText(
    'length',
    'integer',
    (text) => new Exact(Array.from(text).length),
    (sql) => `length(${sql})::numeric`,
  ),
];
