/** What the field types share: option readers, operator sets, errors. */
import type { JsonSchema, Parsed, ValueError } from '../field-type.ts';
import type { Field } from '../model.ts';
import type { Operator, Scalar } from '../value-type.ts';

export const EQUALITY = ['eq', 'ne', 'in', 'nin', 'null'] as const satisfies readonly Operator[];
export const ORDERED = [
  'eq',
  'ne',
  'lt',
  'lte',
  'gt',
  'gte',
  'between',
  'in',
  'nin',
  'null',
] as const satisfies readonly Operator[];
/** Days and moments. */
export const CALENDAR = [...ORDERED, 'within'] as const satisfies readonly Operator[];
/** What names a record: the record itself, or one of those below another in a tree. */
export const IDENTITY = [...EQUALITY, 'under'] as const satisfies readonly Operator[];
export const TEXTUAL = [
  'eq',
  'ne',
  'in',
  'nin',
  'null',
  'contains',
  'icontains',
  'starts',
  'istarts',
  'ends',
  'like',
  'ilike',
  'search',
] as const satisfies readonly Operator[];

/** The `options` schema of a field type: the properties its documents may carry besides the common ones. */
export function options(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return { type: 'object', properties, required };
}

export function refuse(
  code: string,
  message: string,
  params?: Readonly<Record<string, unknown>>,
): { error: ValueError } {
  return { error: params ? { code, message, params } : { code, message } };
}

export function accept(value: Scalar | readonly string[]): Parsed {
  return { value };
}

/** For values that the schema has let through and that still are of another type: a defect of the caller, told politely. */
export function wrongType(expected: string): Parsed {
  return refuse('wrong_type', `This must be ${expected}.`, { expected });
}

/** A numeric option; `fallback` when the document does not have it. */
export function numberOption(field: Field, key: string, fallback: number): number {
  const value = field.options[key];
  return typeof value === 'number' ? value : fallback;
}

/** An option that may be a number or a decimal string (bounds of decimals); `null` without it. */
export function boundOption(field: Field, key: string): string | null {
  const value = field.options[key];
  return typeof value === 'number' || typeof value === 'string' ? String(value) : null;
}

export function textOption(field: Field, key: string): string | null {
  const value = field.options[key];
  return typeof value === 'string' ? value : null;
}

/** What people write for a word, made comparable: case, width and surrounding space do not count. */
export function fold(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase();
}
