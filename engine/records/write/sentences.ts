/** What is wrong with a value, as a sentence for the person who sent it. */
import type { ErrorObject } from 'ajv';
import type { Field } from '#engine/model/model.ts';
import type { ValueError } from '#engine/model/field-type.ts';
import type { ValueType } from '#engine/model/value-type.ts';
import type { ProblemDetail } from '#engine/problem.ts';

const EXPECTED: Readonly<Record<ValueType, string>> = {
  integer: 'a whole number',
  decimal: 'a decimal number',
  boolean: 'true or false',
  date: 'a date such as "2026-01-31"',
  datetime: 'a date and time with offset, such as "2026-01-31T10:00:00Z"',
  time: 'a time of day such as "13:45"',
  uuid: 'the id of a record',
  uuids: 'a list of ids',
  texts: 'a list of texts',
  text: 'text',
  json: 'a JSON value',
};

/** What a value of the field is: `Amount must be …`. */
export function expected(field: Field): string {
  const { valueType } = field.type;
  if (field.derived?.kind === 'any') return 'an object with “entity” and “id”';
  if (valueType === null) return 'a list of records';
  if (valueType !== 'decimal') return EXPECTED[valueType];
  const { scale = 2 } = field.options;
  return scale === 0
    ? 'a whole number written as text, e.g. "10"'
    : `a number with at most ${String(scale)} decimals, written as text, e.g. "10.50"`;
}

/** What a person would call the type of a JSON value. */
export function found(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'text' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** One finding of the JSON Schema validator about a value of `field`. */
export function schemaDetail(error: ErrorObject, field: Field, value: unknown, pointer: string): ProblemDetail {
  const { label } = field;
  const limit: unknown = 'limit' in error.params ? error.params['limit'] : undefined;
  const detail = (code: string, message: string, params?: Record<string, unknown>): ProblemDetail => ({
    code,
    message,
    pointer,
    ...(params ? { params } : {}),
  });
  switch (error.keyword) {
    case 'maxLength':
      return detail('too_long', `${label} must have at most ${String(limit)} characters.`, { max: limit });
    case 'minLength':
      return limit === 1
        ? detail('required', `${label} is required.`)
        : detail('too_short', `${label} must have at least ${String(limit)} characters.`, { min: limit });
    case 'minimum':
      return detail('too_small', `${label} must be at least ${String(limit)}.`, { min: limit });
    case 'maximum':
      return detail('too_large', `${label} must be at most ${String(limit)}.`, { max: limit });
    case 'maxItems':
      return detail('too_many', `${label} must have at most ${String(limit)} entries.`, { max: limit });
    case 'enum':
      return choiceDetail(
        field,
        (field.choices ?? []).map(({ key }) => key),
        pointer,
      );
    case 'pattern': {
      const written = field.options['patternMessage'];
      if (field.type.valueType === 'text' && typeof value === 'string') {
        return detail('pattern', typeof written === 'string' ? written : `${label} does not have the right form.`);
      }
      break;
    }
  }
  return detail('wrong_type', `${label} must be ${expected(field)}.`, {
    expected: expected(field),
    found: found(value),
  });
}

export function choiceDetail({ label }: Field, allowed: readonly string[], pointer: string): ProblemDetail {
  const shown = `${allowed.slice(0, 12).join(', ')}${allowed.length > 12 ? ', …' : ''}`;
  return { code: 'choice', message: `${label} must be one of: ${shown}.`, pointer, params: { allowed } };
}

/** What a field type found about a value. */
export function valueDetail(error: ValueError, field: Field, pointer: string): ProblemDetail {
  const message = error.code === 'required' ? `${field.label} is required.` : `${field.label}: ${error.message}`;
  return { code: error.code, message, pointer, ...(error.params ? { params: error.params } : {}) };
}
