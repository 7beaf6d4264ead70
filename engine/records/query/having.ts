/** `$having`: a condition on the groups of a summary, by the names of its aggregates. */
import { isOperator } from '../../condition/operators.ts';
import type { RawCondition, RawOperand } from '../../condition/raw.ts';
import type { Operator } from '../../model/value-type.ts';
import { parseCommaList } from './comma-list.ts';
import { invalid } from './fault.ts';

const TERM = /^([A-Za-z0-9_.()]{1,60})(?:\[([A-Za-z]{1,20})\])?:(.*)$/s;
const LISTS: ReadonlySet<Operator> = new Set(['in', 'nin', 'between']);
const MAX_TERMS = 20;

/**
 * ```
 * having = term *( "," term )                 n[gte]:5,total[lt]:1000.00      all must hold
 * term   = name [ "[" op "]" ] ":" value      "stage[in]:won;lost"            lists are separated by semicolons
 * ```
 * Terms with commas are quoted as members of comma lists are. `or` and `not` are for the JSON form.
 */
export function parseHaving(text: string, at = '$having'): RawCondition {
  const terms = parseCommaList(text, at);
  if (terms.length > MAX_TERMS) invalid(at, `At most ${MAX_TERMS} conditions on groups.`, MAX_TERMS, terms.length);
  return { kind: 'all', at, of: terms.map((term) => parseTerm(term, at)) };
}

function parseTerm(term: string, at: string): RawCondition {
  const [, name, word = 'eq', value = ''] = TERM.exec(term) ?? [];
  if (name === undefined) {
    return invalid(
      at,
      'A condition such as "n[gte]:5" is expected, by the name of an aggregate.',
      'name[op]:value',
      term,
    );
  }
  if (!isOperator(word)) return invalid(at, `"${word}" is not an operator.`, 'an operator', word);
  const one = (each: string): RawOperand => ({ kind: 'value', at, value: word === 'null' ? each === 'true' : each });
  if (word === 'null' && value !== 'true' && value !== 'false') {
    invalid(at, `"${name}[null]" is true or false.`, ['true', 'false'], value);
  }
  const right: RawOperand = LISTS.has(word) ? { kind: 'list', at, of: value.split(';').map(one) } : one(value);
  return { kind: 'test', at, left: { kind: 'path', at, path: [name] }, operator: word, right };
}
