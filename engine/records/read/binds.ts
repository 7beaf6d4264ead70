/** Parameters of a statement. The text of a shape is constant; only where its values come from is kept beside it. */
import { wordPattern } from '../../condition/fold.ts';
import type { Edge } from '../../condition/period.ts';
import { periodEdge } from '../../condition/period.ts';
import type { Value } from '../../model/value-type.ts';
import { arrayText } from '../../db/identifiers.ts';
import type { SearchedWord } from '../query/query.ts';
import type { Principal } from '../../identity/principal.ts';
import type { Scope } from '../scope.ts';
import { userAttribute } from '../../condition/user-attributes.ts';

export type BindSource =
  /** An attribute of the principal. */
  | { readonly kind: 'user'; readonly attribute: string }
  | { readonly kind: 'time_zone' }
  /** Where a period begins or ends when the question is asked. */
  | {
      readonly kind: 'period';
      readonly period: string;
      readonly edge: Edge;
      readonly type: 'date' | 'datetime';
    }
  /** The record that is read. */
  | { readonly kind: 'id' }
  /** A sort key of the cursor. */
  | { readonly kind: 'cursor'; readonly index: number }
  /** A word of the searched text: itself, as a pattern of LIKE, or itself if it is long enough to be found nearly. */
  | {
      readonly kind: 'search';
      readonly word: number | 'longest';
      readonly form: 'word' | 'pattern' | 'fuzzy';
    }
  /** A literal of a permission: the same in every statement of the shape. */
  | { readonly kind: 'constant'; readonly value: string | null }
  | { readonly kind: 'value'; readonly value: string | null; readonly sqlType: string };

export interface BindValues {
  readonly principal: Principal;
  readonly id?: string;
  /** Milliseconds since the Unix epoch, and the month the fiscal year begins with: what periods are told from. */
  readonly now?: number;
  readonly fiscalYearStart?: number;
  readonly cursor?: readonly (string | null)[];
  /** Words of the searched text, folded. */
  readonly search?: readonly SearchedWord[];
}

/** @param now milliseconds since the Unix epoch */
export function valuesAt({ principal, tenant }: Pick<Scope, 'principal' | 'tenant'>, now: number): BindValues {
  return { principal, now, fiscalYearStart: tenant.fiscalYearStart ?? 1 };
}

/** Marks an attribute of the user on its way through the condition compiler. No value contains a NUL. */
const USER = '\0user:';

export class Binds {
  readonly sources: BindSource[] = [];
  readonly #offset: number;
  readonly #places = new Map<string, string>();

  /** @param offset how many parameters stand before these */
  constructor(offset = 0) {
    this.#offset = offset;
  }

  add(source: BindSource, sqlType: string): string {
    this.sources.push(source);
    return `$${this.#offset + this.sources.length}::${sqlType}`;
  }

  /** The same parameter each time: Postgres then sees that two expressions are one. */
  once(source: BindSource, sqlType: string): string {
    const key = `${JSON.stringify(source)} ${sqlType}`;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.add(source, sqlType);
      this.#places.set(key, place);
    }
    return place;
  }

  /** For `SqlTarget`: the attribute's value is looked up when the statement is sent. */
  readonly user = (attribute: string): string => USER + attribute;

  readonly bind = (value: Value, sqlType: string): string => {
    if (typeof value === 'string' && value.startsWith(USER)) {
      return this.once({ kind: 'user', attribute: value.slice(USER.length) }, sqlType);
    }
    return this.add({ kind: 'value', value: valueText(value), sqlType }, sqlType);
  };

  /** As {@link Binds.bind}, for the conditions of permissions. */
  readonly constant = (value: Value, sqlType: string): string =>
    typeof value === 'string' && value.startsWith(USER)
      ? this.bind(value, sqlType)
      : this.add({ kind: 'constant', value: valueText(value) }, sqlType);
}

/** A value in Postgres's text form. */
export function valueText(value: Value): string | null {
  if (value === null) return null;
  return typeof value === 'object' ? arrayText(value) : String(value);
}

/** Shorter words are near to too many others. */
const FUZZY_LENGTH = 5;

function searchedWord(
  { word, form }: Extract<BindSource, { kind: 'search' }>,
  words: readonly SearchedWord[],
): string | null {
  const searched =
    word === 'longest'
      ? words.reduce((longest, each) => (each.word.length > longest.word.length ? each : longest), NO_WORD)
      : words[word];
  if (searched === undefined) return null;
  if (form === 'pattern') return wordPattern(searched.word);
  return form === 'word' || (!searched.exact && searched.word.length >= FUZZY_LENGTH) ? searched.word : null;
}

const NO_WORD: SearchedWord = { word: '', exact: true };

export function bindValue(source: BindSource, values: BindValues): string | null {
  switch (source.kind) {
    case 'constant':
    case 'value':
      return source.value;
    case 'user':
      return valueText(userAttribute(values.principal, source.attribute));
    case 'time_zone':
      return values.principal.timeZone;
    case 'period':
      return periodEdge(source.period, source.edge, source.type, {
        now: values.now ?? Number.NaN,
        timeZone: values.principal.timeZone,
        fiscalYearStart: values.fiscalYearStart ?? 1,
      });
    case 'id':
      return values.id ?? null;
    case 'search':
      return searchedWord(source, values.search ?? []);
    case 'cursor':
      return values.cursor?.[source.index] ?? null;
  }
}
