/**
 * Checks a form in the browser. Ajv compiles schemas with `eval`, which our Content-Security-Policy forbids;
 * @cfworker/json-schema interprets them. What is checked is the body the API would receive, not the form's own values.
 */
import { Validator } from '@cfworker/json-schema';
import {
  createErrorHandler,
  type ErrorSchema,
  type RJSFValidationError,
  toErrorSchema,
  type ValidatorType,
  unwrapErrorHandler,
  validationDataMerge,
} from '@rjsf/utils';
import type { JsonSchema } from '../../engine/model/field-type.ts';
import type { Values } from './wire.ts';

/** Keywords that only pass on what a deeper keyword found. */
const PASSING = new Set([
  'properties',
  'items',
  'additionalProperties',
  'allOf',
  'anyOf',
  'oneOf',
  'if',
  'then',
  'else',
  '$ref',
  'not',
  'prefixItems',
  'patternProperties',
  'false',
]);

export interface Finding {
  /** Path of the value, from the root of the body. */
  readonly path: readonly string[];
  /** Key of the text in `form.*`. */
  readonly text: string;
}

/** What is wrong with a body, one finding per value. */
export function check(schema: JsonSchema, body: Values): readonly Finding[] {
  const clean: unknown = JSON.parse(JSON.stringify(body));
  const { errors } = new Validator({ ...schema }, '2020-12', false).validate(clean);
  const found = new Map<string, Finding>();
  for (const error of errors) {
    if (PASSING.has(error.keyword)) continue;
    const path = error.instanceLocation.replace(/^#/, '').split('/').slice(1).map(unescape);
    if (error.keyword === 'required') {
      const missing = /"([^"]+)"/.exec(error.error)?.[1];
      if (missing) path.push(missing);
    }
    const key = path.join('/');
    if (!found.has(key)) found.set(key, { path, text: textFor(error.keyword, error.error, clean, path) });
  }
  return [...found.values()];
}

function unescape(part: string): string {
  return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
}

function textFor(keyword: string, message: string, body: unknown, path: readonly string[]): string {
  switch (keyword) {
    case 'required':
    case 'minLength':
      return keyword === 'required' || valueAt(body, path) === '' ? 'form.required' : 'form.minLength';
    case 'maxLength':
      return 'form.maxLength';
    case 'minimum':
    case 'exclusiveMinimum':
      return 'form.minimum';
    case 'maximum':
    case 'exclusiveMaximum':
      return 'form.maximum';
    case 'pattern':
      return 'form.pattern';
    case 'enum':
    case 'const':
      return 'form.enum';
    case 'minItems':
    case 'maxItems':
    case 'uniqueItems':
      return 'form.items';
    case 'type':
      return /number|integer/.test(message) ? 'form.number' : 'form.type';
    case 'format':
      return /"email"/.test(message)
        ? 'form.email'
        : /"uri/.test(message)
          ? 'form.uri'
          : /"date/.test(message)
            ? 'form.date'
            : 'form.pattern';
    default:
      return 'form.type';
  }
}

function valueAt(body: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    body,
  );
}

/**
 * react-jsonschema-form's validator for one form.
 * @param findings of the form's values, as `check` answers them, with paths of the form
 * @param words the sentence for a text key
 */
export function createValidator(
  findings: (values: Values) => readonly Finding[],
  words: (text: string) => string,
): ValidatorType<Values> {
  return {
    validateFormData(formData, _schema, customValidate, transformErrors, uiSchema) {
      const found = findings(formData ?? {}).map((finding): RJSFValidationError => {
        const message = words(finding.text);
        const property = `.${finding.path.join('.')}`;
        return { name: finding.text, property, message, params: {}, stack: `${property} ${message}` };
      });
      const errors = transformErrors ? transformErrors(found, uiSchema) : found;
      const errorSchema: ErrorSchema<Values> = toErrorSchema<Values>(errors);
      if (!customValidate) return { errors, errorSchema };
      const handler = customValidate(formData, createErrorHandler<Values>(formData ?? {}), uiSchema);
      return validationDataMerge<Values>({ errors, errorSchema }, unwrapErrorHandler<Values>(handler));
    },
    // Only asked for alternatives (oneOf, anyOf), which the layout schema never has.
    isValid: () => true,
    rawValidation: () => ({ errors: [] }),
  };
}
