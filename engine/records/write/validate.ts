/**
 * From the JSON a client sent to values that can be stored: known and writable fields, valid by JSON Schema, normalised
 * by their types. Everything that is wrong is collected, each with its JSON Pointer.
 */
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonSchema, ValueContext, ValueError } from '#engine/model/field-type.ts';
import { behindOne } from '#engine/model/any-ways.ts';
import { parseUuid } from '#engine/model/fields/types/reference.ts';
import type { Entity, Field, Model } from '#engine/model/model.ts';
import type { AnyTarget } from '#engine/model/relations.ts';
import type { Rights } from '#engine/model/rights.ts';
import type { Value } from '#engine/model/value-type.ts';
import { nearest } from '#engine/nearest.ts';
import type { ProblemDetail } from '#engine/problem.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import { sealedValue } from '../sealed.ts';
import { holdsRoles, unknownRoles } from './assigned-roles.ts';
import { choiceDetail, found, schemaDetail, valueDetail } from './sentences.ts';

export type Operation = 'create' | 'update';

/** A body whose values may be stored. */
export interface Accepted {
  /** Normalised values by field key, only what was sent. */
  readonly values: Map<string, Value>;
  /** What was sent for children fields, unchecked. */
  readonly children: ReadonlyMap<Field, unknown>;
  /** What was sent for links, unchecked. */
  readonly links: ReadonlyMap<Field, unknown>;
  /** What was sent for references instead of an id, unchecked. {@link values} has {@link TO_BE_MADE} for each of them. */
  readonly nested: ReadonlyMap<Field, Readonly<Record<string, unknown>>>;
}

/** Stands for the id of a record that is not there yet. */
const TO_BE_MADE = '00000000-0000-0000-0000-000000000000';

/** More details help nobody, and a thousand bad records could have a hundred thousand. */
const MAX_DETAILS = 100;

export class Faults {
  readonly details: ProblemDetail[] = [];

  add(...details: readonly ProblemDetail[]): void {
    this.details.push(...details);
    if (this.details.length >= MAX_DETAILS) this.check();
  }

  /** @throws Problem `invalid` when anything was added */
  check(): void {
    if (this.details.length === 0) return;
    const rest = this.details.length - 1;
    throw new Problem(
      'invalid',
      `${this.details[0]?.message ?? ''}${rest > 0 ? ` (and ${rest} more)` : ''}`,
      this.details,
    );
  }
}

/** Ajv keeps what it has compiled for good: every model has one of its own, which goes with it. */
class Validators {
  readonly #ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    // Formats are the business of the field types' `normalise`, which knows better sentences.
    validateFormats: false,
    // The schemas are the engine's own; what this leaves out is most of the time that a compilation takes.
    meta: false,
    validateSchema: false,
    code: { optimize: false },
  });
  readonly #compiled = new Map<string, ValidateFunction>();

  of(entity: Entity, operation: Operation): ValidateFunction {
    const key = `${operation} ${entity.name}`;
    let validator = this.#compiled.get(key);
    if (!validator) this.#compiled.set(key, (validator = this.#ajv.compile(bodySchema(entity, operation))));
    return validator;
  }
}

const validators = new WeakMap<Model, Validators>();

/** The validator of an entity's records for an operation; compiled once per model. */
export function validatorOf(model: Model, entity: Entity, operation: Operation): ValidateFunction {
  let ofModel = validators.get(model);
  if (!ofModel) validators.set(model, (ofModel = new Validators()));
  return ofModel.of(entity, operation);
}

/** JSON Schema of what may be sent; the OpenAPI document and the forms show the same. */
export function bodySchema(entity: Entity, operation: Operation): JsonSchema {
  const properties: Record<string, unknown> = {};
  const required: string[] = [];
  for (const field of entity.fields.values()) {
    const schema = writable(field, operation) ? field.type.inputSchema(field) : null;
    if (schema === null || field.many !== null) continue;
    const empty = !needed(field) || (operation === 'create' && field.fill !== null);
    properties[field.key] = empty ? { anyOf: [schema, { type: 'null' }] } : schema;
    if (operation === 'create' && needed(field) && !filled(field)) required.push(field.key);
  }
  return { type: 'object', properties, required, additionalProperties: false };
}

/** Whether clients write it at all. Lifecycles start somewhere, so a state may be given at creation; the owner is a system field with manners of its own. */
export function writable(field: Field, operation: Operation): boolean {
  if (field.key === 'owner' && field.system) return operation === 'create';
  if (field.lifecycle !== null) return operation === 'create';
  return !field.readOnly;
}

/** A record always has a value. A currency stands beside every amount, given or not. */
function needed(field: Field): boolean {
  return field.required || field.lifecycle !== null || isCompanionCurrency(field) || field.key === 'owner';
}

const isCompanionCurrency = (field: Field): boolean => field.type.key === 'currency' && field.companionOf !== null;

/** The engine has a value when none is sent. */
function filled(field: Field): boolean {
  return (
    field.default !== undefined ||
    field.fill !== null ||
    field.lifecycle !== null ||
    isCompanionCurrency(field) ||
    field.key === 'owner'
  );
}

export function valueContext(scope: Scope): ValueContext {
  return { country: scope.tenant.country, currency: scope.tenant.currency, timeZone: scope.principal.timeZone };
}

export interface CheckOptions {
  /** For the parts of a record: keys the engine sets itself, refused when sent. */
  readonly given?: ReadonlySet<string>;
  /** Keys beside the fields that the caller handles, e.g. `id` of a part. */
  readonly ignore?: ReadonlySet<string>;
  /** Id of the record, for which encrypted values are sealed; `null` where it is not known: then there can be none. */
  readonly record: string | null;
}

/**
 * Checks one record.
 * @param pointer of the record in the request's body: `''`, `/3`, `/lines/create/0`
 * @param faults collects what is wrong; the caller throws it
 */
export function checkBody(
  scope: Scope,
  entity: Entity,
  operation: Operation,
  body: unknown,
  pointer: string,
  faults: Faults,
  options: CheckOptions,
): Accepted {
  const values = new Map<string, Value>();
  const children = new Map<Field, unknown>();
  const links = new Map<Field, unknown>();
  const nested = new Map<Field, Readonly<Record<string, unknown>>>();
  if (!isObject(body)) {
    faults.add({ code: 'wrong_type', message: `A record must be an object, not ${found(body)}.`, pointer });
    return { values, children, nested, links };
  }
  const allowed = writableFields(scope, entity, operation, options);
  const known: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) {
    if (options.ignore?.has(key)) continue;
    const field = allowed.get(key);
    if (!field) faults.add(refusedKey(scope, entity, key, pointer, allowed));
    else if (field.children) children.set(field, value);
    else if (field.many) links.set(field, value);
    else if (field.reference && isObject(value)) {
      nested.set(field, value);
      known[key] = TO_BE_MADE;
    } else known[key] = value;
  }
  const bad = schemaFaults(scope, entity, operation, known, pointer, faults, allowed);
  const context = valueContext(scope);
  for (const [key, value] of Object.entries(known)) {
    const field = allowed.get(key);
    if (!field || bad.has(key)) continue;
    if (field.derived?.kind === 'any') {
      const found = pointedAt(field.derived.targets, value);
      // An entity that is out of reach is one that is not there.
      if (isObject(value) && !targetsSeen(scope, field).some((target) => target === value['entity']))
        faults.add(choiceDetail(field, targetsSeen(scope, field), at(pointer, key)));
      else if ('error' in found) faults.add(valueDetail(found.error, field, at(at(pointer, key), 'id')));
      else for (const [to, id] of found.values) values.set(to, id);
      continue;
    }
    const stored = normalised(field, value, context);
    if (field.type.sealed && options.record === null && value !== null) {
      const message = `${field.label} is encrypted for one record: change records with it one at a time.`;
      faults.add({ code: 'read_only', message, pointer: at(pointer, key) });
    } else if ('error' in stored) faults.add(valueDetail(stored.error, field, at(pointer, key)));
    else {
      if (holdsRoles(entity, field)) faults.add(...unknownRoles(scope.model, value, at(pointer, key)));
      values.set(
        key,
        field.type.sealed && options.record !== null && typeof stored.value === 'string'
          ? sealedValue(scope, field, options.record, stored.value)
          : stored.value,
      );
    }
  }
  return { values, children, nested, links };
}

/** `{"entity", "id"}` as the references behind it: the one has the id, the others none. */
function pointedAt(
  targets: readonly AnyTarget[],
  value: unknown,
): { readonly values: readonly (readonly [string, Value])[] } | { readonly error: ValueError } {
  const { entity, id } = isObject(value) ? value : {};
  const parsed = typeof id === 'string' ? parseUuid(id) : { value: null };
  if ('error' in parsed) return parsed;
  return { values: targets.map((target) => [target.field, target.entity === entity ? parsed.value : null]) };
}

/** Where records inside this one are not possible. @param why a sentence that begins after the field's label */
export function refuseNested(
  { children, nested, links }: Accepted,
  pointer: string,
  why: string,
  faults: Faults,
): void {
  for (const field of [...children.keys(), ...nested.keys(), ...links.keys()])
    faults.add({ code: 'read_only', message: `${field.label} ${why}`, pointer: at(pointer, field.key) });
}

/**
 * The values of some fields alone, as they would be stored, in the fields' order. What is missing or wrong is told to
 * `faults`, and stands as null.
 */
export function checkValues(
  scope: Scope,
  entity: Entity,
  fields: readonly Field[],
  body: unknown,
  pointer: string,
  faults: Faults,
): readonly Value[] {
  if (!isObject(body)) {
    faults.add({ code: 'wrong_type', message: `A record must be an object, not ${found(body)}.`, pointer });
    return fields.map(() => null);
  }
  const known: Record<string, unknown> = {};
  for (const { key, label } of fields) {
    const value = body[key];
    if (value !== undefined && value !== null) known[key] = value;
    else
      faults.add({
        code: 'required',
        message: `${label} is required: it says which record is meant.`,
        pointer: at(pointer, key),
      });
  }
  const allowed = new Map(fields.filter(({ key }) => key in known).map((field) => [field.key, field]));
  const bad = schemaFaults(scope, entity, 'create', known, pointer, faults, allowed);
  return fields.map((field) => {
    if (bad.has(field.key) || !(field.key in known)) return null;
    const stored = normalised(field, known[field.key], valueContext(scope));
    if ('error' in stored) faults.add(valueDetail(stored.error, field, at(pointer, field.key)));
    else if (stored.value === null)
      faults.add({ code: 'required', message: `${field.label} is required.`, pointer: at(pointer, field.key) });
    return 'error' in stored ? null : stored.value;
  });
}

function normalised(field: Field, value: unknown, context: ValueContext): ReturnType<Field['type']['normalise']> {
  if (value === null) return { value: null };
  if (field.type.structured) return field.type.normalise(JSON.stringify(value), field, context);
  if (!isValue(value)) return { error: { code: 'wrong_type', message: `A ${found(value)} cannot stand here.` } };
  const parsed = field.type.normalise(value, field, context);
  if (!('error' in parsed) && parsed.value === null && needed(field)) {
    return { error: { code: 'required', message: 'This is required.' } };
  }
  return parsed;
}

/** Runs the schema. @returns keys whose values are not valid */
function schemaFaults(
  scope: Scope,
  entity: Entity,
  operation: Operation,
  known: Readonly<Record<string, unknown>>,
  pointer: string,
  faults: Faults,
  allowed: ReadonlyMap<string, Field>,
): ReadonlySet<string> {
  const bad = new Set<string>();
  const validate = validatorOf(scope.model, entity, operation);
  if (validate(known)) return bad;
  for (const error of validate.errors ?? []) {
    const missing: unknown = error.keyword === 'required' ? error.params['missingProperty'] : undefined;
    if (typeof missing === 'string') {
      const field = allowed.get(missing);
      // A required field the principal may not write is for the database to fill or to refuse.
      if (field)
        faults.add({ code: 'required', message: `${field.label} is required.`, pointer: at(pointer, missing) });
      continue;
    }
    const key = error.instancePath.split('/')[1] ?? '';
    const field = allowed.get(key);
    if (!field || bad.has(key)) continue;
    bad.add(key);
    const value = known[key];
    faults.add(
      value === null
        ? { code: 'required', message: `${field.label} is required.`, pointer: at(pointer, key) }
        : error.keyword === 'enum' && field.derived?.kind === 'any'
          ? choiceDetail(field, targetsSeen(scope, field), at(pointer, key))
          : schemaDetail(error, field, value, at(pointer, key)),
    );
  }
  return bad;
}

/** Fields by entity and operation, for a set of rights; rights live as long as their model does. */
const writables = new WeakMap<Rights, Map<string, ReadonlyMap<string, Field>>>();

/** Fields the principal may send in this operation. */
export function writableFields(
  scope: Scope,
  entity: Entity,
  operation: Operation,
  { given }: Pick<CheckOptions, 'given'> = {},
): ReadonlyMap<string, Field> {
  let known = writables.get(scope.rights);
  if (!known) writables.set(scope.rights, (known = new Map()));
  const key = `${operation} ${entity.name}`;
  let fields = known.get(key);
  if (!fields) known.set(key, (fields = findWritable(scope, entity, operation)));
  return given ? new Map([...fields].filter(([field]) => !given.has(field))) : fields;
}

function findWritable(scope: Scope, entity: Entity, operation: Operation): ReadonlyMap<string, Field> {
  const rights = scope.rights.of(entity.name);
  const granted = operation === 'create' ? rights.creatableFields : rights.updatableFields;
  const fields = new Map<string, Field>();
  for (const field of entity.fields.values()) {
    if (!granted.has(field.key) || !writable(field, operation)) continue;
    if (field.children && scope.rights.of(field.children.entity).create.length === 0) continue;
    // Links are made and undone by whoever may change the field, and see what is linked, on new records too.
    if (field.many?.via === 'links' && !(rights.updatableFields.has(field.key) && sees(scope, field.many.entity)))
      continue;
    if (!leadsNowhere(scope, field)) fields.set(field.key, field);
  }
  return fields;
}

const sees = (scope: Scope, entity: string): boolean => scope.rights.of(entity).read.length > 0;

/** A reference to one of several entities all of which are out of reach, or the one behind it to one that is. */
export function leadsNowhere(scope: Scope, field: Field): boolean {
  if (field.derived?.kind === 'any') return targetsSeen(scope, field).length === 0;
  const behind = behindOne(field);
  return behind !== null && !sees(scope, behind);
}

function targetsSeen(scope: Scope, { derived }: Field): readonly string[] {
  const targets = derived?.kind === 'any' ? derived.targets : [];
  return targets.map(({ entity }) => entity).filter((entity) => sees(scope, entity));
}

/** A hidden field equals a missing one; one that may be read and not written may be called by its name. */
function refusedKey(
  scope: Scope,
  entity: Entity,
  key: string,
  pointer: string,
  allowed: ReadonlyMap<string, Field>,
): ProblemDetail {
  const field = entity.fields.get(key);
  if (field && scope.rights.of(entity.name).readableFields.has(key) && !leadsNowhere(scope, field)) {
    const message =
      field.lifecycle !== null
        ? `${field.label} changes through the record’s actions.`
        : field.key === 'owner'
          ? `${field.label} changes when the record is assigned to somebody else.`
          : `${field.label} cannot be written here.`;
    return { code: 'read_only', message, pointer: at(pointer, key) };
  }
  const meant = nearest(key, allowed.keys());
  const hint = meant === undefined ? '' : ` Did you mean “${meant}”?`;
  return {
    code: 'unknown_field',
    message: `There is no field “${key.slice(0, 60)}” here.${hint}`,
    pointer: at(pointer, key),
    ...(meant === undefined ? {} : { params: { nearest: meant } }),
  };
}

/** RFC 6901 §3. */
export function at(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function isValue(json: unknown): json is Value {
  if (Array.isArray(json)) return json.every((item) => typeof item === 'string');
  return json === null || typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean';
}
