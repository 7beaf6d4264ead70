/** Whether a value is one that a setting can have. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Setting } from './parts.ts';

/** With an Ajv each, which keeps what it has compiled for good: it goes with the setting. */
const validators = new WeakMap<object, ValidateFunction>();

/** Longest value as JSON text: a setting is no file store. */
const MAX_LENGTH = 100_000;

/** A sentence about what is wrong with the value, `null` when nothing is. */
export function settingError(setting: Pick<Setting, 'schema'>, value: unknown): string | null {
  if (JSON.stringify(value).length > MAX_LENGTH) return `it may have ${MAX_LENGTH} characters.`;
  let validate = validators.get(setting.schema);
  if (!validate) validators.set(setting.schema, (validate = compiled(setting.schema)));
  if (validate(value)) return null;
  const [error] = validate.errors ?? [];
  const { allowedValues } = error?.params ?? {};
  const choices = Array.isArray(allowedValues) ? `: ${allowedValues.join(', ')}` : '';
  return `${error?.instancePath ? `${error.instancePath} ` : 'it '}${error?.message ?? 'does not fit'}${choices}.`;
}

const compiled = (schema: Setting['schema']): ValidateFunction =>
  new Ajv2020({ allErrors: false, strict: true, strictTypes: false, unicodeRegExp: true }).compile({ ...schema });
