/** The value of a declared setting as a side of a test: which setting is meant, and what it compares with. */
import type { Setting } from '../model/parts.ts';
import type { ValueType } from '../model/value-type.ts';
import { nearest } from '../nearest.ts';
import type { SettingOperand } from './condition.ts';
import { type Faults, hint } from './faults.ts';
import { parseLiteral } from './literals.ts';
import type { RawOperand } from './raw.ts';

/** Where settings are found by the name that is written, and which there are. */
export interface Settings {
  find(name: string): Setting | undefined;
  names(): Iterable<string>;
}

/** What a setting's JSON Schema lets it be, where that is one value to compare with. */
const TYPES: ReadonlyMap<unknown, ValueType> = new Map<unknown, ValueType>([
  ['string', 'text'],
  ['integer', 'integer'],
  ['number', 'decimal'],
  ['boolean', 'boolean'],
]);

/**
 * @param type of the other side: a text setting may stand beside a date
 * @returns `undefined` after a fault was added; a secret is as good as none
 */
export function resolveSetting(
  { name, at }: Extract<RawOperand, { kind: 'setting' }>,
  type: ValueType,
  { settings, faults }: { readonly settings?: Settings; readonly faults: Faults },
): SettingOperand | undefined {
  const setting = settings?.find(name);
  if (!setting || setting.secret) {
    const suggestion = nearest(name, settings?.names() ?? []);
    faults.add(at, 'invalid', `There is no setting "${name}".${hint(suggestion)}`, {
      found: name,
      ...(suggestion !== undefined && { nearest: suggestion }),
    });
    return undefined;
  }
  const own = TYPES.get(setting.schema['type']);
  if (own === undefined) {
    faults.add(at, 'invalid', `The setting "${name}" has no single value to compare with.`, {
      expected: [...TYPES.keys()],
      found: setting.schema['type'],
    });
    return undefined;
  }
  const meant = own === 'text' && type === 'date' ? 'date' : own;
  const fallback = parseLiteral(setting.default, meant) ?? null;
  return Object.freeze({
    kind: 'setting',
    type: meant,
    setting: setting.name,
    own: setting.scope === 'user',
    fallback,
  });
}

/** Settings of a model, under their full names. */
export function settingsOf(settings: ReadonlyMap<string, Setting>): Settings {
  return {
    find: (name) => settings.get(name),
    names: () => [...settings.values()].filter(({ secret }) => !secret).map((setting) => setting.name),
  };
}
