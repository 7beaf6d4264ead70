/** How documents are named, and how names in them are looked up. */
import { CORE, type Document } from './documents.ts';

const RESERVED_PACKS: ReadonlySet<string> = new Set([
  'h',
  'l',
  'zz',
  'ui',
  'auth',
  'session',
  'metadata',
  'openapi',
  'imports',
  'flags',
  'settings',
  'me',
  'api',
]);

const RESERVED_FIELDS: ReadonlySet<string> = new Set([
  'id',
  'version',
  'created_at',
  'created_by',
  'updated_at',
  'updated_by',
  'owner',
  'deleted_at',
]);

/** Words of the condition language, which stand where field keys stand. */
const CONDITION_WORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'all', 'any', 'fact']);

/**
 * Whether a pack may not have this key: it would collide with an address of the engine, or its tables with those the
 * engine makes beside others' (`h_…` for history, `l_…` for links, `zz_…` for what was removed).
 */
export const isReservedPack = (key: string): boolean => /^(?:_|h_|l_|zz_)/.test(key) || RESERVED_PACKS.has(key);

/** Whether a document may not define a field of this key: it is one of the engine's own, or a word of the condition language. */
export const isReservedField = (key: string): boolean =>
  key.startsWith('_') || RESERVED_FIELDS.has(key) || CONDITION_WORDS.has(key);

/** Whether a role may not have this key: its database role would be that of the service principals or of a set of roles. */
export const isReservedRole = (key: string): boolean => key === 'system' || key.startsWith('set_');

/** `account` in pack `crm` → `crm.account`; a qualified name stays. */
export function qualify(name: string, pack: string): string {
  return name.includes('.') ? name : `${pack}.${name}`;
}

/**
 * Finds what a name in a document of `pack` means: the pack's own first, then `core`'s.
 * @returns the qualified name, or `undefined` when neither exists
 */
export function lookUp(name: string, pack: string, exists: (qualified: string) => boolean): string | undefined {
  if (name.includes('.')) return exists(name) ? name : undefined;
  for (const candidate of [`${pack}.${name}`, `${CORE}.${name}`]) if (exists(candidate)) return candidate;
  return undefined;
}

/** Names that would have been valid: bare ones of the pack and of core, qualified ones of the others. */
export function* candidates(names: Iterable<string>, pack: string): Generator<string> {
  for (const name of names) {
    const [itsPack = '', key = name] = name.split('.');
    yield itsPack === pack || itsPack === CORE ? key : name;
  }
}

/** The entity a permission is about, as written. */
export function permissionEntity(document: { readonly entity?: string; readonly resource?: string }): string {
  return document.entity ?? document.resource ?? '';
}

/**
 * What makes two documents the same one, so that the higher layer's overrides the lower layer's.
 * Roles and menus are identified by key alone: several packs add to one.
 */
export function identityOf(document: Document, pack: string): string {
  switch (document.kind) {
    case 'entity':
    case 'lifecycle':
    case 'view':
    case 'rule':
    case 'flag':
    case 'setting':
    case 'sequence':
    case 'template':
    case 'metric':
      return `${document.kind} ${pack}.${document.key}`;
    case 'pack':
    case 'role':
    case 'menu':
      return `${document.kind} ${document.key}`;
    case 'form':
      return `form ${qualify(document.entity, pack)}`;
    case 'permission':
      return `permission ${permissionName(document.role, qualify(permissionEntity(document), pack), document.key)}`;
    case 'translation':
      return `translation ${pack}/${document.locale}`;
  }
}

export function permissionName(role: string, entity: string, key = 'default'): string {
  return `${role}/${entity}/${key}`;
}

/** `annual_revenue` → `Annual revenue`: the label of what has none. */
export function readable(key: string): string {
  const words = key.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
