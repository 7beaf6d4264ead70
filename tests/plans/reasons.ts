/** Why a shape may read a large part of a million records. Whatever no reason is written for here uses an index. */
import type { Shape } from './shapes.ts';
import type { Reader } from './warehouse.ts';

export interface Reason {
  readonly why: string;
  readonly excuses: (shape: Shape, reader: Reader) => boolean;
  /** One that does read so much: when it does not any more, the reason goes. */
  readonly example: readonly [reader: Reader, around: Shape['around'], test: string];
}

const INSIDE: readonly string[] = ['contains', 'icontains', 'ends'];
const LOWER: readonly string[] = ['istarts', 'ilike'];
const BUT: readonly string[] = ['ne', 'nin'];
const DECIMALS: readonly string[] = ['amount', 'weight'];
const OPEN: readonly string[] = ['lt', 'lte', 'gt', 'gte'];
/** Of each a thousand records, or two. */
const MANY_OF: readonly string[] = ['shelf eq', 'sold eq', 'tags has', 'tags hasAny'];

export const REASONS: readonly Reason[] = [
  {
    why: 'is a range of numerics with an open end: behind a row policy Postgres has no statistics for them, takes the range for a third of all records, and walks (ADR 0014)',
    excuses: ({ field, operator, around }, reader) =>
      DECIMALS.includes(field) &&
      (OPEN.includes(operator) || (operator === 'between' && around === 'negated, of most')) &&
      reader === 'keeper',
    example: ['keeper', 'alone', 'amount gt'],
  },
  {
    why: 'searches for words in a field that does not say `search`, so that no index of words has it',
    excuses: ({ field, operator }, reader) => field === 'code' && operator === 'search' && reader === 'keeper',
    example: ['keeper', 'alone', 'code search'],
  },
  {
    why: 'asks for records without a list of texts: the index of the texts knows those that have some',
    excuses: ({ field, operator }) => field === 'tags' && operator === 'null',
    example: ['keeper', 'alone', 'tags null'],
  },
  {
    why: 'finds a thousand records by their index, whose parts Postgres takes from the parts’ smaller table in one go',
    excuses: ({ test, around }) => around === 'through a reference' && MANY_OF.includes(test),
    example: ['keeper', 'through a reference', 'sold eq'],
  },
  {
    why: 'asks a reference to one of several entities for everything below a record, or for what is not another one: it is shown only where its record is, which only “equal” and “one of” can be asked after',
    excuses: ({ field, operator, around }) =>
      field.startsWith('about_') && (operator === 'under' || (BUT.includes(operator) && around.startsWith('negated'))),
    example: ['keeper', 'alone', 'about_shelf under'],
  },
  {
    why: 'looks inside of texts, letter by letter; `search` has an index. Who owns records has those found by their owner',
    excuses: ({ operator }, reader) => INSIDE.includes(operator) && reader === 'keeper',
    example: ['keeper', 'alone', 'name contains'],
  },
  {
    why: 'compares in lower case, and the index has the texts as they are',
    excuses: ({ operator }, reader) => LOWER.includes(operator) && reader === 'keeper',
    example: ['keeper', 'alone', 'name istarts'],
  },
  {
    why: 'is true of one table or of another: no index tells of both',
    excuses: ({ around }) => around === 'or-ed with a list' || around === 'or-ed with a reference',
    example: ['keeper', 'or-ed with a list', 'rank eq'],
  },
  {
    why: 'sorts all that are found, nearly everything, by what another table says',
    excuses: ({ around, operator }) => around === 'sorted over a reference' && BUT.includes(operator),
    example: ['keeper', 'sorted over a reference', 'rank ne'],
  },
  {
    why: 'counts or sums nearly everything there is',
    excuses: ({ around, operator }) => (around === 'counted' || around === 'summed') && BUT.includes(operator),
    example: ['keeper', 'counted', 'rank ne'],
  },
  {
    why: 'what is missing at the end of a reference is missing as well where there is no reference',
    excuses: ({ around, operator }) => around === 'through a reference' && operator === 'null',
    example: ['keeper', 'through a reference', 'rank null'],
  },
];

export const excused = (shape: Shape, reader: Reader): boolean => REASONS.some(({ excuses }) => excuses(shape, reader));
