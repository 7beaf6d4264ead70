/**
 * A condition as it was written: shaped and bounded, but of an unknown entity. `parse.ts` makes it from JSON,
 * the API makes it from the query string, `resolve.ts` turns it into a {@link import('./condition.ts').Condition}.
 *
 * `at` says where a node stands, for error messages: a JSON Pointer, or the name of a query parameter.
 */
import type { Operator } from '../model/value-type.ts';
import type { ShareLevel } from './condition.ts';

export type RawCondition =
  | { readonly kind: 'all' | 'any'; readonly at: string; readonly of: readonly RawCondition[] }
  | { readonly kind: 'not'; readonly at: string; readonly of: RawCondition }
  | RawTest
  /** Permission short form: a field of the entity if it has one of this name, else an attribute of the user. */
  | { readonly kind: 'short'; readonly at: string; readonly key: string; readonly right: RawOperand }
  | { readonly kind: 'business_hours'; readonly at: string }
  /** `{ "lines": { "some": {…} } }` */
  | {
      readonly kind: 'many';
      readonly at: string;
      readonly quantifier: Quantifier;
      readonly path: readonly string[];
      readonly of: RawCondition;
    }
  /** `{ "lines": { "count": { "gte": 3 } } }` */
  | {
      readonly kind: 'count';
      readonly at: string;
      readonly path: readonly string[];
      readonly operator: Operator;
      readonly right: RawOperand;
    }
  | { readonly kind: 'shared'; readonly at: string; readonly level: ShareLevel };

export const QUANTIFIERS = ['some', 'none', 'every'] as const;
export type Quantifier = (typeof QUANTIFIERS)[number];

export interface RawTest {
  readonly kind: 'test';
  readonly at: string;
  readonly left: RawOperand;
  readonly operator: Operator;
  readonly right: RawOperand;
}

export type RawOperand =
  /** A field of the record, reached over references: `['account', 'country']`. */
  | { readonly kind: 'path'; readonly at: string; readonly path: readonly string[] }
  | { readonly kind: 'user'; readonly at: string; readonly attribute: string }
  | { readonly kind: 'setting'; readonly at: string; readonly name: string }
  | { readonly kind: 'now' | 'today'; readonly at: string }
  /** Some JSON scalar, `null` included; its type is checked against the other side. */
  | { readonly kind: 'value'; readonly at: string; readonly value: unknown }
  | { readonly kind: 'list'; readonly at: string; readonly of: readonly RawOperand[] };

/** What a condition may at most hold: a filter is paid for by everybody. */
export const LIMITS = { depth: 20, nodes: 500, values: 1000 } as const;
