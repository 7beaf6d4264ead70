/** From what Ajv says to what a person understands: the place, what was found, what was expected, what was probably meant. */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { nearest } from '../nearest.ts';
import { isObject } from './documents.ts';
import { describe, didYouMean, type Faults, type Place, pointer } from './faults.ts';
import { patternError } from './fields/pattern.ts';

/**
 * @param place maps Ajv's instance path to the place it was written at
 */
export function addSchemaErrors(errors: readonly ErrorObject[], faults: Faults, place: (path: string) => Place): void {
  // Branches of an `anyOf` each complain; the `anyOf` itself says it once for all of them.
  const choices = errors
    .filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
    .map(({ instancePath }) => instancePath);
  const seen = new Set<string>();
  for (const error of errors) {
    const isChoice = error.keyword === 'anyOf' || error.keyword === 'oneOf';
    if (!isChoice && choices.some((path) => error.instancePath === path || error.instancePath.startsWith(`${path}/`)))
      continue;
    // The name that is wrong is reported by `propertyNames`.
    if (error.propertyName !== undefined) continue;
    const { path, code, message, params } = translate(error);
    const key = `${path} ${message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    faults.add(place(path), code, message, params);
  }
}

interface Translated {
  readonly path: string;
  readonly code: string;
  readonly message: string;
  readonly params: Readonly<Record<string, unknown>>;
}

function translate(error: ErrorObject): Translated {
  const path = error.instancePath;
  const found = describe(error.data);
  const expected = (what: string): Translated => ({
    path,
    code: 'invalid',
    message: `Found ${found}, expected ${what}.`,
    params: { found, expected: what },
  });
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'additionalProperties': {
      const property = String(params['additionalProperty']);
      const known =
        isObject(error.parentSchema) && isObject(error.parentSchema['properties'])
          ? Object.keys(error.parentSchema['properties'])
          : [];
      const suggestion = nearest(property, known);
      return {
        path: pointer(path, property),
        code: 'unknown_property',
        message: `“${property}” is not known here.${didYouMean(suggestion) || ` Known are: ${known.join(', ')}.`}`,
        params: { found: property, expected: known, ...(suggestion === undefined ? {} : { nearest: suggestion }) },
      };
    }
    case 'required': {
      const property = String(params['missingProperty']);
      const key = isObject(error.data) ? error.data['key'] : undefined;
      // Places in a list tell little, above all of a field that was a change to one of a pack's.
      const whose = typeof key === 'string' && path !== '' ? ` of “${key.slice(0, 60)}”` : '';
      const gone =
        property === 'type' && whose !== '' && /^\/fields\/\d+$/.test(path)
          ? ' If a pack or plugin had this field, it has it no longer.'
          : '';
      return {
        path,
        code: 'missing',
        message: `“${property}”${whose} is missing.${gone}`,
        params: { expected: property },
      };
    }
    case 'propertyNames': {
      const property = String(params['propertyName']);
      return {
        path: pointer(path, property),
        code: 'invalid',
        message: `“${property}” cannot be a name here.`,
        params: { found: property },
      };
    }
    case 'enum': {
      const allowed = Array.isArray(params['allowedValues']) ? params['allowedValues'].map(String) : [];
      const suggestion = typeof error.data === 'string' ? nearest(error.data, allowed) : undefined;
      return {
        path,
        code: 'invalid',
        message: `Found ${found}, expected one of: ${allowed.join(', ')}.${didYouMean(suggestion)}`,
        params: { found: error.data, expected: allowed, ...(suggestion === undefined ? {} : { nearest: suggestion }) },
      };
    }
    case 'const':
      return expected(describe(params['allowedValue']));
    case 'type':
      return expected(typeNames(params['type']));
    case 'pattern':
      return expected(patternName(String(params['pattern'])));
    case 'format':
      return expected(
        typeof error.data === 'string' ? `a simple pattern (${patternError(error.data) ?? ''})` : 'a pattern',
      );
    case 'minLength':
      return expected(`at least ${String(params['limit'])} characters`);
    case 'maxLength':
      return expected(`at most ${String(params['limit'])} characters`);
    case 'minItems':
    case 'minProperties':
      return expected(`at least ${String(params['limit'])}`);
    case 'maxItems':
    case 'maxProperties':
      return expected(`at most ${String(params['limit'])}`);
    case 'minimum':
      return expected(`${String(params['limit'])} or more`);
    case 'maximum':
      return expected(`${String(params['limit'])} or less`);
    case 'uniqueItems':
      return expected('a list without repetitions');
    case 'anyOf':
    case 'oneOf': {
      const branches: readonly unknown[] = Array.isArray(error.schema) ? error.schema : [];
      const names = branches.map((branch) =>
        isObject(branch) && typeof branch['description'] === 'string'
          ? branch['description'].replace(/\.$/, '')
          : 'a key',
      );
      return expected(names.join(', or: '));
    }
    default:
      return { path, code: 'invalid', message: `Found ${found}: ${error.message ?? 'not valid'}.`, params: { found } };
  }
}

function typeNames(type: unknown): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    object: 'an object',
    array: 'a list',
    null: 'null',
  };
  const types = Array.isArray(type) ? type : String(type).split(',');
  return types.map((one) => names[String(one)] ?? String(one)).join(' or ');
}

function patternName(pattern: string): string {
  if (pattern.startsWith('^[a-z][a-z0-9_]{0,39}'))
    return 'a key (lower-case letters, digits, underscores; a letter first; at most 40)';
  if (pattern.startsWith('^([a-z][a-z0-9_]{0,39}')) return 'a key, or pack.key';
  return `text of the form ${pattern}`;
}
