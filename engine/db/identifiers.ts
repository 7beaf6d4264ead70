/**
 * The one place where names become identifiers and values become literals (rule 10). Everything that writes SQL text
 * takes its quoted parts from here; a `"` anywhere else is a defect.
 */
import { createHash } from 'node:crypto';

/** Keys of entities, fields, roles, tenants, packs. */
export const KEY = /^[a-z][a-z0-9_]{0,39}$/;

/** Postgres truncates longer identifiers silently (NAMEDATALEN - 1). */
const MAX_LENGTH = 63;

/**
 * Quotes an identifier, whatever it contains.
 * @throws RangeError when Postgres would truncate it, or for a NUL byte
 */
export function quote(name: string): string {
  if (name.length === 0 || Buffer.byteLength(name) > MAX_LENGTH || name.includes('\0')) {
    throw new RangeError(`not an identifier: ${JSON.stringify(name)}`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes `schema.name`. */
export function qualified(schema: string, name: string): string {
  return `${quote(schema)}.${quote(name)}`;
}

/** A string literal, safe whatever `standard_conforming_strings` says. */
export function literal(value: string): string {
  if (value.includes('\0')) throw new RangeError('a NUL byte cannot be stored');
  const escaped = value.replaceAll("'", "''");
  return value.includes('\\') ? ` E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`;
}

/** A Postgres array in its text form, to be bound as one parameter: `{"a","b"}`. */
export function arrayText(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`;
}

/** Keeps a name under Postgres's limit: the tail of a long one is replaced by a hash, so that two long names stay two. */
export function fit(name: string): string {
  if (name.length <= MAX_LENGTH) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 10);
  return `${name.slice(0, MAX_LENGTH - 11)}_${hash}`;
}

/**
 * Names of one tenant's objects. Schemas live in a database, roles in the whole cluster: role names carry the
 * installation's prefix (`t` unless several installations share a cluster).
 */
export interface TenantNames {
  readonly schema: string;
  role(key: string): string;
  /** The role of the named service principals. */
  readonly system: string;
  /** The role a user with several roles acts through. `keys` in any order. */
  roleSet(keys: readonly string[]): string;
}

export function tenantNames(prefix: string, tenant: string): TenantNames {
  const role = (key: string) => fit(`${prefix}_${tenant}__${key}`);
  return {
    schema: fit(`t_${tenant}`),
    role,
    system: role('system'),
    roleSet: (keys) => {
      const hash = createHash('sha256')
        .update(JSON.stringify([...keys].sort()))
        .digest('hex')
        .slice(0, 16);
      return role(`set_${hash}`);
    },
  };
}
