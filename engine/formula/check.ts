/** Types: from the tree of `syntax.ts` to an {@link Expression} in which every part has a type and fits its place. */
import { canonicalDecimal, isDate } from '../condition/literals.ts';
import type { Value, ValueType } from '../model/value-type.ts';
import { nearest } from '../nearest.ts';
import { fault, type Place } from './fault.ts';
import { fold } from './fold.ts';
import type { Expression } from './formula.ts';
import { type Argument, TYPE_NAME } from './functions/function.ts';
import { CALLABLE, FUNCTIONS } from './functions/index.ts';
import type { Node } from './syntax.ts';

type Fields = ReadonlyMap<string, { readonly valueType: ValueType | null }>;

/**
 * @returns null for the word `null`, which gets its type from where it stands
 * @throws Problem at the first mistake
 */
export function check(node: Node, fields: Fields, place: Place): Expression | null {
  switch (node.kind) {
    case 'number':
      return checkNumber(node.text);
    case 'text':
      return literal('text', node.text);
    case 'date':
      if (!isDate(node.text)) fault(place, node.offset, `"${node.text}" is not a day such as '2026-01-31'`);
      return literal('date', node.text);
    case 'constant':
      return node.value === null ? null : literal('boolean', node.value);
    case 'field':
      return checkField(node, fields, place);
    case 'call':
      return checkCall(node, fields, place);
  }
}

function literal(type: ValueType, value: Value): Expression {
  return Object.freeze({ kind: 'literal', type, value });
}

function checkNumber(text: string): Expression {
  const value = Number(text);
  return !text.includes('.') && Number.isSafeInteger(value)
    ? literal('integer', value)
    : literal('decimal', canonicalDecimal(text));
}

function checkField(node: Extract<Node, { kind: 'field' }>, fields: Fields, place: Place): Expression {
  const { name, offset } = node;
  const field = fields.get(name);
  if (field === undefined) {
    const suggestion = nearest(name, fields.keys());
    const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
    return fault(place, offset, `"${name}" is not a field${hint}`, 'unknown_field', {
      found: name,
      ...(suggestion && { nearest: suggestion }),
    });
  }
  const { valueType } = field;
  if (valueType === null || valueType === 'texts' || valueType === 'uuids' || valueType === 'json') {
    return fault(place, offset, `"${name}" holds no single value and cannot be part of a formula`, 'invalid', {
      found: name,
    });
  }
  return Object.freeze({ kind: 'field', type: valueType, field: name });
}

type CallNode = Extract<Node, { kind: 'call' }>;

function checkCall(node: CallNode, fields: Fields, place: Place): Expression {
  const args = node.args.map((arg) => check(arg, fields, place));
  const asked = askWhetherNull(node, args);
  if (asked !== undefined) return asked;
  const called = FUNCTIONS.get(node.name);
  if (called === undefined || (called.internal && !node.operator)) {
    const suggestion = nearest(node.name, CALLABLE);
    const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
    return fault(place, node.offset, `"${node.name}" is not a function${hint}`, 'invalid', {
      expected: CALLABLE,
      found: node.name,
      ...(suggestion && { nearest: suggestion }),
    });
  }
  const [least, most] = called.arity;
  if (args.length < least || args.length > most) {
    const range = least === most ? `${least}` : most > 100 ? `at least ${least}` : `${least} or ${most}`;
    fault(
      place,
      node.offset,
      `"${node.name}" takes ${range} argument${range === '1' ? '' : 's'}, found ${args.length}`,
    );
  }
  const signature = called.signature(args.map(asArgument));
  if ('wrong' in signature) return fault(place, node.offset, signature.wrong);
  const checked = args.map((arg, index) => {
    const expected = signature.takes[index] ?? 'text';
    if (arg === null) return literal(expected, null);
    if (arg.type === expected || (arg.type === 'integer' && expected === 'decimal')) return arg;
    return fault(
      place,
      node.args[index]?.offset ?? node.offset,
      `"${node.name}" takes ${TYPE_NAME[expected]} here, found ${TYPE_NAME[arg.type]}`,
      'invalid',
      { expected, found: arg.type },
    );
  });
  return fold({ kind: 'call', type: signature.returns, function: node.name, args: Object.freeze(checked) });
}

function asArgument(arg: Expression | null): Argument {
  if (arg === null) return { type: null };
  return arg.kind === 'literal' ? { type: arg.type, literal: arg.value } : { type: arg.type };
}

/** `x = null` and `x != null` */
function askWhetherNull(node: CallNode, args: readonly (Expression | null)[]): Expression | undefined {
  if ((node.name !== '=' && node.name !== '!=') || args.every((arg) => arg !== null)) return undefined;
  const value = args.find((arg) => arg !== null) ?? literal('text', null);
  const asked = fold({ kind: 'call', type: 'boolean', function: 'is_null', args: Object.freeze([value]) });
  return node.name === '='
    ? asked
    : fold({ kind: 'call', type: 'boolean', function: 'not', args: Object.freeze([asked]) });
}
