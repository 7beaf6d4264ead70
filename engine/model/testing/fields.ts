/** Fields and models for tests. */
import { bareField } from '../build/fields.ts';
import type { Pack, ReleaseSource, SourceDocument } from '../documents.ts';
import { fieldTypes, formulaReturning } from '../fields/index.ts';
import type { ValueContext } from '../field-type.ts';
import type { Choice, Field } from '../model.ts';

export const context: ValueContext = { country: 'DE', currency: 'EUR', timeZone: 'Europe/Berlin' };

/** A field of a type, with options as a document would have them. */
export function fieldOf(
  type: string,
  options: Readonly<Record<string, unknown>> = {},
  more: Partial<Field> = {},
): Field {
  const returns = options['returns'];
  const found = type === 'formula' && typeof returns === 'string' ? formulaReturning(returns) : fieldTypes.get(type);
  if (!found) throw new TypeError(`no field type ${type}`);
  const choices: Choice[] | null = Array.isArray(options['choices'])
    ? options['choices'].map(({ key, label }: { key: string; label?: string }) => ({
        key,
        label: label ?? key,
        color: null,
      }))
    : null;
  return {
    ...bareField(found, 'x', 'X'),
    id: 'f_000000000001',
    choices,
    options,
    currencyField: found.key === 'money' ? 'x_currency' : null,
    companions: found.companions?.map(({ suffix }) => `x${suffix}`) ?? [],
    ...more,
  };
}

const settings = { currency: 'EUR', country: 'DE', timeZone: 'Europe/Berlin', locale: 'en' } as const;

/** The two built-in entities in their smallest form, so that tests do not depend on what ships. */
const CORE: Pack = packOf('core', [
  {
    kind: 'entity',
    key: 'user',
    plural: 'users',
    label: 'User',
    fields: [
      { key: 'name', type: 'text' },
      { key: 'team', type: 'team' },
    ],
  },
  { kind: 'entity', key: 'team', plural: 'teams', label: 'Team', fields: [{ key: 'name', type: 'text' }] },
]);

/** A pack of documents; their sources are `<pack>/<index>`, or `<pack>/<key>.<kind>` for those that have a key. */
export function packOf(key: string, documents: readonly Readonly<Record<string, unknown>>[]): Pack {
  const all = [{ kind: 'pack', key, version: '1.0.0', label: key }, ...documents];
  return {
    key,
    version: '1.0.0',
    documents: all.map((document) => ({ document, source: `${key}/${nameOf(document)}`, pack: key })),
  };
}

export function tenantDocuments(documents: readonly Readonly<Record<string, unknown>>[]): readonly SourceDocument[] {
  return documents.map((document) => ({ document, source: `tenant:${nameOf(document)}`, pack: 'custom' }));
}

function nameOf({ kind, key, role, entity }: Readonly<Record<string, unknown>>): string {
  const parts = key === undefined ? [role, entity, kind] : [key, kind];
  return parts.filter((part) => typeof part === 'string').join('.');
}

/** A release of one pack `shop` on top of core. */
export function releaseOf(
  documents: readonly Readonly<Record<string, unknown>>[],
  own: readonly Readonly<Record<string, unknown>>[] = [],
  release = 1,
): Omit<ReleaseSource, 'identities'> {
  return {
    tenant: 'acme',
    release,
    settings,
    packs: [CORE, packOf('shop', documents)],
    tenantDocuments: tenantDocuments(own),
  };
}
