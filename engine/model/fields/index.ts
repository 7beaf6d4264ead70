/**
 * The registry of field types. A new type is one file in `types/`, nothing else: the folder is read when this module is
 * loaded, and every file there exports exactly one {@link FieldType}. Plugins bring theirs with {@link registerFieldTypes}.
 */
import { readdirSync } from 'node:fs';
import { documented, type FieldType, isFieldType } from '../field-type.ts';
import { formula, formulaReturning } from './types/formula.ts';

export { formulaReturning };

const FOLDER = new URL('types/', import.meta.url);

const registry = new Map<string, FieldType>();
/** Who brought a type, for the sentence that refuses another one of its name. */
const origins = new Map<string, string>();
let sealed = false;

/** By key. Complete once the plugins are loaded; models are built after that. */
export const fieldTypes: ReadonlyMap<string, FieldType> = registry;

/** Whether only the engine makes fields of it: documents do not name such a type. */
export function isInternal(key: string): boolean {
  return registry.get(key)?.internal === true;
}

/** Types a document may name. */
export function documentedTypes(): readonly string[] {
  return [...registry.values()].filter(documented).map(({ key }) => key);
}

/**
 * Adds the field types of a plugin. To be called before the first model is built: a model that was built without a type
 * would refuse documents that the next one takes.
 *
 * @param from who brings them, e.g. the plugin's key
 * @throws TypeError for something that is no field type, a key that is taken, or when it is too late
 */
export function registerFieldTypes(types: readonly FieldType[], from: string): void {
  if (sealed) throw new TypeError(`${from} brings field types too late: a model has been built already.`);
  for (const type of types) add(type, from);
}

/** From now on no type is added. The build of a model calls it. */
export function sealFieldTypes(): void {
  sealed = true;
}

function add(type: unknown, from: string): void {
  if (!isFieldType(type)) throw new TypeError(`${from} brings something that is no field type.`);
  const owner = origins.get(type.key);
  if (owner !== undefined)
    throw new TypeError(`${from} brings the field type “${type.key}”, which ${owner} has brought already.`);
  origins.set(type.key, from);
  registry.set(type.key, Object.freeze(type));
}

for (const name of readdirSync(FOLDER).sort()) {
  if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
  const module: unknown = await import(new URL(name, FOLDER).href);
  const types = Object.values(Object(module)).filter(isFieldType);
  if (types.length !== 1) throw new TypeError(`fields/types/${name} must export one field type, not ${types.length}.`);
  add(types[0], 'the engine');
}

// What a formula returns decides what it is like; the registry has the one that knows its options.
if (registry.get(formula.key) !== formula) throw new TypeError('the formula type was loaded twice');
