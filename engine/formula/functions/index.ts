/** Every function and operator by name. */
import { DATE_FUNCTIONS } from './dates.ts';
import type { FormulaFunction } from './function.ts';
import { LOGIC_FUNCTIONS } from './logic.ts';
import { NUMBER_FUNCTIONS } from './numbers.ts';
import { TEXT_FUNCTIONS } from './texts.ts';

export const FUNCTIONS: ReadonlyMap<string, FormulaFunction> = new Map(
  [...NUMBER_FUNCTIONS, ...LOGIC_FUNCTIONS, ...TEXT_FUNCTIONS, ...DATE_FUNCTIONS].map((each) => [each.name, each]),
);

/** A function of a checked tree; it is always known. */
export function functionOf(name: string): FormulaFunction {
  const found = FUNCTIONS.get(name);
  if (found === undefined) throw new TypeError(`no function "${name}"`);
  return found;
}

/** What can be called by name. */
export const CALLABLE: readonly string[] = [...FUNCTIONS.values()]
  .filter((each) => !each.internal)
  .map((each) => each.name);
