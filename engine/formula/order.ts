/** Formulas that refer to formulas. */
import { Problem } from '../problem.ts';
import { fold } from './fold.ts';
import type { Expression, Formula } from './formula.ts';
import { LIMITS } from './formula.ts';
import { fieldsOf } from './parse.ts';

export interface OrderedFormulas {
  /** Keys of the formula fields; each comes after those it reads. */
  readonly order: readonly string[];
  /**
   * By key: the formulas with the formulas they refer to put in, so that they read stored fields alone. A generated
   * column may not read another one.
   */
  readonly inlined: ReadonlyMap<string, Formula>;
}

/**
 * @param formulas the formula fields of one entity by key
 * @param pointerOf JSON Pointer of a formula's source in its document
 * @throws Problem `invalid_document`: `cyclic formula: a → b → a`, or a formula that has become too large
 */
export function orderFormulas(
  formulas: ReadonlyMap<string, Formula>,
  pointerOf: (key: string) => string = () => '',
): OrderedFormulas {
  const inlined = new Map<string, Formula>();
  const path: string[] = [];

  const visit = (key: string, formula: Formula) => {
    if (inlined.has(key)) return;
    const start = path.indexOf(key);
    if (start !== -1) refuse(pointerOf(key), 'cyclic', `cyclic formula: ${[...path.slice(start), key].join(' → ')}`);
    path.push(key);
    for (const read of formula.reads) {
      const other = formulas.get(read);
      if (other !== undefined) visit(read, other);
    }
    path.pop();
    const parts = size(formula.tree, inlined);
    if (parts > LIMITS.nodes) {
      refuse(
        pointerOf(key),
        'too_large',
        `With the formulas it refers to, "${key}" has ${parts} parts; ${LIMITS.nodes} are possible.`,
      );
    }
    const tree = inline(formula.tree, inlined);
    inlined.set(key, Object.freeze({ ...formula, tree, reads: Object.freeze([...new Set(fieldsOf(tree))]) }));
  };
  for (const [key, formula] of formulas) visit(key, formula);
  // A map keeps the order of insertion, and that is the order of dependence.
  return { order: [...inlined.keys()], inlined };
}

function inline(tree: Expression, formulas: ReadonlyMap<string, Formula>): Expression {
  if (tree.kind === 'field') return formulas.get(tree.field)?.tree ?? tree;
  if (tree.kind === 'literal') return tree;
  return fold(Object.freeze({ ...tree, args: Object.freeze(tree.args.map((arg) => inline(arg, formulas))) }));
}

/** Number of parts after inlining, counted without building it. */
function size(tree: Expression, formulas: ReadonlyMap<string, Formula>): number {
  if (tree.kind === 'call') return tree.args.reduce((sum, arg) => sum + size(arg, formulas), 1);
  const other = tree.kind === 'field' ? formulas.get(tree.field) : undefined;
  return other === undefined ? 1 : size(other.tree, new Map());
}

function refuse(pointer: string, code: string, message: string): never {
  throw new Problem('invalid_document', message, [{ code, message, pointer }]);
}
