/**
 * The records after (or before) a cursor. NULL is the greatest value in both directions.
 *
 * Where all terms go the same way and none can be NULL, rows are compared: `(x."name", x."id") > ($1, $2)` is one index
 * condition. Otherwise the comparison is written out, term by term; a bound on the first term in front of it keeps the
 * range of an index.
 */
import { SQL_TYPE } from '../../model/value-type.ts';
import type { Binds } from './binds.ts';
import type { PlannedOrder } from './plan.ts';
import { orderKey } from './sql-select.ts';
import type { Joins } from './sql-source.ts';

/**
 * @param nulls which keys of the cursor are NULL
 * @param backwards the records before the cursor
 */
export function keyset(
  order: readonly PlannedOrder[],
  nulls: readonly boolean[],
  backwards: boolean,
  alias: string,
  joins: Joins,
  binds: Binds,
): string {
  const terms = order.map((term, index) => ({
    key: orderKey(term, alias, joins),
    up: term.descending === backwards,
    nullable: term.nullable,
    isNull: nulls[index] ?? false,
    value: (): string => binds.once({ kind: 'cursor', index }, SQL_TYPE[term.field.type.valueType ?? 'text']),
  }));
  const [first] = terms;
  if (first === undefined) return 'true';
  if (terms.every((term) => !term.nullable && !term.isNull && term.up === first.up)) {
    const keys = terms.map((term) => term.key);
    const values = terms.map((term) => term.value());
    return keys.length === 1
      ? `${keys[0]} ${sign(first.up)} ${values[0]}`
      : `(${keys.join(', ')}) ${sign(first.up)} (${values.join(', ')})`;
  }
  const branches: string[] = [];
  const equal: string[] = [];
  for (const term of terms) {
    const beyond = comparison(term);
    if (beyond !== null) branches.push([...equal, beyond].join(' and '));
    equal.push(term.isNull ? `${term.key} is null` : `${term.key} = ${term.value()}`);
  }
  const written = branches.length === 0 ? 'false' : `(${branches.map((branch) => `(${branch})`).join(' or ')})`;
  return first.nullable || first.isNull ? written : `${first.key} ${sign(first.up)}= ${first.value()} and ${written}`;
}

interface Term {
  readonly key: string;
  /** Whether the order rises. */
  readonly up: boolean;
  readonly nullable: boolean;
  readonly isNull: boolean;
  readonly value: () => string;
}

/** `null`: nothing comes behind this value. */
function comparison({ key, up, nullable, isNull, value }: Term): string | null {
  if (isNull) return up ? null : `${key} is not null`;
  const beyond = `${key} ${sign(up)} ${value()}`;
  return up && nullable ? `(${beyond} or ${key} is null)` : beyond;
}

const sign = (up: boolean): string => (up ? '>' : '<');
