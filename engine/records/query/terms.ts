/**
 * The small languages inside `$select`, `$order`, `$group` and `$agg`, read by recursive descent. Nothing here knows a
 * field; what is read has the form of keys (`[a-z_][a-z0-9_]*`) and can be nothing else.
 */
import { nearest } from '../../nearest.ts';
import { invalid, refuse } from './fault.ts';
import type { AggregateFunction, AggregateTerm, Bucket, GroupTerm, OrderTerm, SelectItem, Selection } from './query.ts';
import { BUCKETS, FUNCTIONS, LIMITS } from './query.ts';

const KEY = /^_?[a-z][a-z0-9_]{0,59}$/;
const NAME = /^[a-z][a-z0-9_]{0,39}$/;

/** Reads a text from left to right. */
class Cursor {
  readonly text: string;
  readonly at: string;
  position = 0;

  constructor(text: string, at: string) {
    this.text = text;
    this.at = at;
  }

  get done(): boolean {
    return this.position >= this.text.length;
  }

  take(character: string): boolean {
    if (this.text[this.position] !== character) return false;
    this.position += 1;
    return true;
  }

  word(pattern: RegExp): string | null {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return null;
    this.position += found.length;
    return found;
  }

  fail(expected: string): never {
    const found = this.done ? 'the end' : `"${this.text.slice(this.position, this.position + 12)}"`;
    const message = `${this.at.startsWith('/') ? 'Here' : this.at}: ${expected} is expected at character ${this.position + 1}, found ${found}.`;
    return invalid(this.at, message, expected, found);
  }
}

/** Counts what a selection asks for. */
class Budget {
  #left: number = LIMITS.selectNodes;

  spend(at: string, depth: number): void {
    this.#left -= 1;
    if (this.#left < 0) {
      refuse(at, 'invalid_parameter', `A selection may name at most ${LIMITS.selectNodes} fields.`, {
        max: LIMITS.selectNodes,
      });
    }
    if (depth > LIMITS.selectDepth) {
      refuse(at, 'invalid_parameter', `A selection may be at most ${LIMITS.selectDepth} levels deep.`, {
        max: LIMITS.selectDepth,
      });
    }
  }
}

/**
 * ```
 * selection = item *( "," item )            id,name,account(id,name)
 * item      = "*"                           every readable field of the record itself
 *           / key                           name        _title        _actions        _may
 *           / key "(" selection *( ";" option ) ")"   account(id,name)   lines(quantity,product(name))
 * option    = "order=" order / "first=" number     lines(quantity;order=-quantity,id;first=5)
 * ```
 */
export function parseSelect(text: string, at = '$select'): Selection {
  const cursor = new Cursor(text, at);
  const selection = readSelection(cursor, new Budget(), 1);
  if (!cursor.done) cursor.fail('a comma');
  return selection;
}

const SELECT_WORD = /\*|[a-z0-9_]+/y;

function readSelection(cursor: Cursor, budget: Budget, depth: number): Selection {
  const items: SelectItem[] = [];
  do {
    budget.spend(cursor.at, depth);
    const start = cursor.position;
    const word = cursor.word(SELECT_WORD);
    if (word === '*') {
      items.push({ kind: 'all', at: cursor.at });
    } else if (word === null || !KEY.test(word)) {
      cursor.position = start;
      cursor.fail('a field');
    } else if (cursor.take('(')) {
      const of = readSelection(cursor, budget, depth + 1);
      const options = readOptions(cursor);
      if (!cursor.take(')')) cursor.fail('a comma or ")"');
      items.push({ kind: 'nested', at: cursor.at, key: word, of, ...options, where: null });
    } else {
      items.push({ kind: 'field', at: cursor.at, key: word });
    }
  } while (cursor.take(','));
  return selectionOf(items);
}

function readOptions(cursor: Cursor): { order: OrderTerm[]; first: number | null } {
  let order: OrderTerm[] = [];
  let first: number | null = null;
  while (cursor.take(';')) {
    if (cursor.word(/order=/y) !== null && order.length === 0) {
      order = parseOrder(cursor.word(/[-a-z0-9_.,]+/y) ?? cursor.fail('a field'), cursor.at);
    } else if (cursor.word(/first=/y) !== null && first === null) {
      first = Number(cursor.word(/\d{1,6}/y) ?? cursor.fail('a number'));
      if (first < 1 || first > LIMITS.children) {
        invalid(
          cursor.at,
          `"first" is a whole number from 1 to ${LIMITS.children}.`,
          { min: 1, max: LIMITS.children },
          first,
        );
      }
    } else {
      cursor.fail('"order=" or "first=", each once,');
    }
  }
  return { order, first };
}

/** @throws Problem `invalid_parameter` when something is named twice in two ways (`account` and `account(name)`) */
export function selectionOf(items: readonly SelectItem[]): Selection {
  const seen = new Map<string, SelectItem>();
  for (const item of items) {
    const key = item.kind === 'all' ? '*' : item.key;
    const earlier = seen.get(key);
    if (earlier !== undefined && (earlier.kind === 'nested' || item.kind === 'nested')) {
      invalid(item.at, `"${key}" is selected twice.`, 'each field once', key);
    }
    seen.set(key, item);
  }
  const unique = [...seen.values()];
  return Object.freeze({ items: Object.freeze(unique), key: unique.map(keyOf).join(',') });
}

function keyOf(item: SelectItem): string {
  if (item.kind === 'all') return '*';
  if (item.kind === 'field') return item.key;
  const order = item.order.map(orderText).join(',');
  const where = item.where === null ? '' : `;${JSON.stringify(item.where)}`;
  const extras = order === '' && item.first === null && where === '' ? '' : `;${order};${item.first ?? ''}${where}`;
  return `${item.key}(${item.of.key}${extras})`;
}

export function orderText(term: OrderTerm): string {
  return `${term.descending ? '-' : ''}${term.path.join('.')}`;
}

/** What JSON bodies say more directly than the URL: the same budget, given back to the caller. */
export function selectionBudget(): { spend(at: string, depth: number): void } {
  return new Budget();
}

export function isKey(text: string): boolean {
  return KEY.test(text);
}

/** `-amount,name,account.name`; `-` is descending. */
export function parseOrder(text: string, at = '$order'): OrderTerm[] {
  return parseOrderTerms(text.split(','), () => at, false);
}

/** `-total,month(created_at)`: the names of groups and aggregates. */
export function parseSummaryOrder(text: string, at = '$order'): OrderTerm[] {
  return parseOrderTerms(splitTerms(text), () => at, true);
}

export function parseOrderTerms(
  texts: readonly string[],
  at: (index: number) => string,
  summary: boolean,
): OrderTerm[] {
  if (texts.length > LIMITS.orderTerms) {
    refuse(at(LIMITS.orderTerms), 'invalid_parameter', `At most ${LIMITS.orderTerms} fields to sort by.`, {
      max: LIMITS.orderTerms,
    });
  }
  return texts.map((text, index) => {
    const descending = text.startsWith('-');
    const name = descending ? text.slice(1) : text;
    return { at: at(index), descending, path: summary ? [summaryName(name, at(index))] : parsePath(name, at(index)) };
  });
}

function summaryName(text: string, at: string): string {
  if (!/^[A-Za-z0-9_.()]{1,200}$/.test(text))
    invalid(at, 'The name of a group or an aggregate is expected.', 'name', text);
  return text;
}

/** `name`, `account.name`, `account.parent.name`. */
export function parsePath(text: string, at: string): string[] {
  const path = text.split('.');
  if (!path.every((key) => KEY.test(key))) {
    invalid(
      at,
      `A field such as "name" or "account.name" is expected, found ${JSON.stringify(text.slice(0, 60))}.`,
      'field',
      text,
    );
  }
  if (path.length > LIMITS.steps + 1) {
    refuse(at, 'invalid_parameter', `A path may follow at most ${LIMITS.steps} references.`, { max: LIMITS.steps });
  }
  return path;
}

/** `stage,month(created_at),m:month(closed_on),account.country` */
export function parseGroup(text: string, at = '$group'): GroupTerm[] {
  return parseGroupTerms(splitTerms(text), () => at);
}

export function parseGroupTerms(texts: readonly string[], at: (index: number) => string): GroupTerm[] {
  if (texts.length > LIMITS.groupTerms) {
    refuse(at(LIMITS.groupTerms), 'invalid_parameter', `At most ${LIMITS.groupTerms} fields to group by.`, {
      max: LIMITS.groupTerms,
    });
  }
  return texts.map((text, index) => {
    const place = at(index);
    const { name, fn, argument } = readCall(text, place);
    if (fn === null) return { at: place, name, bucket: null, path: parsePath(argument, place) };
    return { at: place, name, bucket: oneOf(fn, BUCKETS, place), path: parsePath(argument, place) };
  });
}

/** `n:count(),total:sum(amount),countDistinct(account)` */
export function parseAggregates(text: string, at = '$agg'): AggregateTerm[] {
  return parseAggregateTerms(splitTerms(text), () => at);
}

export function parseAggregateTerms(texts: readonly string[], at: (index: number) => string): AggregateTerm[] {
  if (texts.length > LIMITS.aggregateTerms) {
    refuse(at(LIMITS.aggregateTerms), 'invalid_parameter', `At most ${LIMITS.aggregateTerms} aggregates.`, {
      max: LIMITS.aggregateTerms,
    });
  }
  return texts.map((text, index) => {
    const place = at(index);
    const { name, fn, argument } = readCall(text, place);
    if (fn === null) {
      invalid(
        place,
        `A function such as "sum(amount)" is expected, found ${JSON.stringify(text.slice(0, 60))}.`,
        FUNCTIONS,
        text,
      );
    }
    const known: AggregateFunction = oneOf(fn, FUNCTIONS, place);
    if (argument === '') {
      if (known !== 'count') invalid(place, `"${known}" needs a field, for example "${known}(amount)".`, 'field', '');
      return { at: place, name, fn: known, path: [] };
    }
    return { at: place, name, fn: known, path: parsePath(argument, place) };
  });
}

/** `n:count()` alone: what a grouping without aggregates answers. */
export function countOnly(at: string): AggregateTerm {
  return { at, name: 'count', fn: 'count', path: [] };
}

/**
 * ```
 * call = [ name ":" ] ( argument / fn "(" [ argument ] ")" )
 * ```
 */
function readCall(text: string, at: string): { name: string; fn: string | null; argument: string } {
  const colon = text.indexOf(':');
  const body = colon < 0 ? text : text.slice(colon + 1);
  const given = colon < 0 ? null : text.slice(0, colon);
  if (given !== null && !NAME.test(given)) {
    invalid(
      at,
      `A name such as "total" is expected before the colon, found ${JSON.stringify(given.slice(0, 60))}.`,
      'name',
      given,
    );
  }
  if ((given ?? body).length > LIMITS.termName) {
    const message = `A name may have at most ${LIMITS.termName} characters; give it a shorter one, for example "total:${body.slice(0, 20)}…".`;
    refuse(at, 'invalid_parameter', message, { max: LIMITS.termName });
  }
  const call = /^([A-Za-z]+)\(([a-z0-9_.]*)\)$/.exec(body);
  if (call === null) return { name: given ?? body, fn: null, argument: body };
  return { name: given ?? body, fn: call[1] ?? '', argument: call[2] ?? '' };
}

/** At the commas; no term has one inside its parentheses. */
function splitTerms(text: string): string[] {
  return text.split(',');
}

function oneOf<T extends Bucket | AggregateFunction>(word: string, words: readonly T[], at: string): T {
  const found = words.find((each) => each === word);
  if (found !== undefined) return found;
  const suggestion = nearest(word, words);
  const hint = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
  return refuse(at, 'invalid_parameter', `"${word.slice(0, 40)}" is not one of ${words.join(', ')}.${hint}`, {
    expected: words,
    found: word.slice(0, 40),
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
}
