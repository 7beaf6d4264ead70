/** The JSON Schemas of `metadata/schema`, compiled: whole documents, parts of them (overrides), and fields by their type. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { breathe } from '../breathe.ts';
import { isObject, KINDS, type Kind } from './documents.ts';
import { documentedTypes, fieldTypes, isInternal } from './fields/index.ts';
import { patternError } from './fields/pattern.ts';

const FOLDER = new URL('../../metadata/schema/', import.meta.url);

/** What an override must still say: who it is. */
const IDENTITY: ReadonlySet<string> = new Set(['kind', 'key', 'role', 'entity', 'locale']);
/** Kinds that are named by their key alone: what entity they are of is a property like any other. */
const BY_KEY: ReadonlySet<string> = new Set([
  'pack',
  'entity',
  'role',
  'lifecycle',
  'view',
  'menu',
  'rule',
  'flag',
  'setting',
  'sequence',
  'template',
  'metric',
]);

export interface Validators {
  kind(kind: Kind): ValidateFunction;
  /** `undefined` for a type that does not exist or that only the engine makes. */
  field(type: string): ValidateFunction | undefined;
}

function load(name: string): AnySchemaObject {
  const schema: unknown = JSON.parse(readFileSync(new URL(`${name}.schema.json`, FOLDER), 'utf8'));
  if (!isObject(schema)) throw new TypeError(`${name}.schema.json is not a schema`);
  return schema;
}

/** The schema of an override: nothing is required but what names it. */
function relax(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(relax);
  if (!isObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === 'required' && Array.isArray(value) ? value.filter((name) => IDENTITY.has(String(name))) : relax(value),
    ]),
  );
}

function validators(partial: boolean): Validators {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictRequired: false,
    strictTypes: false,
    verbose: true,
    ownProperties: true,
    // It would double the time of a compilation and save a microsecond of a validation.
    code: { optimize: false },
  });
  ajv.addFormat('field-pattern', (pattern: string) => patternError(pattern) === null);
  const prepare = (schema: AnySchemaObject): AnySchemaObject => {
    const relaxed = partial ? relax(schema) : schema;
    if (!isObject(relaxed)) return schema;
    const kind = String(schema['$id']).replace('.schema.json', '');
    return partial && BY_KEY.has(kind) ? { ...relaxed, required: ['kind', 'key'] } : relaxed;
  };
  const common = load('field');
  for (const name of ['common', ...KINDS]) ajv.addSchema(prepare(load(name)));
  // Elements of an override's `fields` may leave out even the type.
  ajv.addSchema(prepare(common));
  const fields = new Map<string, ValidateFunction>();
  return {
    kind: (kind) => compiled(ajv, `${kind}.schema.json`),
    field: (type) => {
      const found = fields.get(type);
      if (found) return found;
      const fieldType = isInternal(type) ? undefined : fieldTypes.get(type);
      if (!fieldType) return undefined;
      const validate = ajv.compile(prepare(compose(common, fieldType.options, `field-${type}.schema.json`)));
      fields.set(type, validate);
      return validate;
    },
  };
}

function compiled(ajv: Ajv2020, id: string): ValidateFunction {
  const validate = ajv.getSchema(id);
  if (!validate) throw new TypeError(`no schema ${id}`);
  return validate;
}

/** The common properties of all fields and the options of one type, and nothing else. */
function compose(common: AnySchemaObject, options: Readonly<Record<string, unknown>>, id: string): AnySchemaObject {
  return {
    $id: id,
    type: 'object',
    additionalProperties: false,
    required: [...list(common['required']), ...list(options['required'])],
    properties: { ...object(common['properties']), ...object(options['properties']) },
  };
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const object = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {});

let whole: Validators | undefined;
let partial: Validators | undefined;

/** For documents that stand alone. Compiled on first use, once per process. */
export function wholeDocuments(): Validators {
  whole ??= validators(false);
  return whole;
}

/** For overrides: every property optional. */
export function partialDocuments(): Validators {
  partial ??= validators(true);
  return partial;
}

/** Compiles all that a first publish would have to wait for, and everybody else with it, a little at a time. */
export async function compileAhead(): Promise<void> {
  for (const make of [wholeDocuments, partialDocuments]) {
    await breathe();
    const compiling = make();
    for (const kind of KINDS) {
      await breathe();
      compiling.kind(kind);
    }
    for (const type of documentedTypes()) {
      await breathe();
      compiling.field(type);
    }
  }
}
