/** The organisation's own documents as they leave for a folder: with their identities, so that a rename there is one here. */
import { isObject, type ReleaseSource } from '../model/documents.ts';
import { permissionName, qualify } from '../model/naming.ts';
import type { TenantDocument } from './source.ts';

/**
 * Entities, fields and permissions of the organisation's own get their `id`; what a pack brings is found by its key, so
 * overrides of it get none.
 */
export function exportedDocuments(source: ReleaseSource): readonly TenantDocument[] {
  const ofPacks = namesOf(source.packs.flatMap(({ documents }) => documents));
  const { entities, fields, permissions } = source.identities;
  const identified = (known: Readonly<Record<string, string>>, name: string, document: TenantDocument) => {
    const id = document['removed'] === true || ofPacks.has(name) ? undefined : known[name];
    if (id === undefined || document['id'] !== undefined) return document;
    // Behind kind and key, where a person expects it.
    const { kind, key, ...rest } = document;
    return { ...(kind !== undefined && { kind }), ...(key !== undefined && { key }), id, ...rest };
  };
  return source.tenantDocuments.flatMap(({ document, pack: its }): readonly TenantDocument[] => {
    if (!isObject(document)) return [];
    const pack = text(document['pack']) ?? its;
    if (document['kind'] === 'permission') {
      return [identified(permissions, nameOfPermission(document, pack), document)];
    }
    if (document['kind'] !== 'entity') return [document];
    const entity = `${pack}.${text(document['key'])}`;
    const own = identified(entities, entity, document);
    const { fields: written } = document;
    if (!Array.isArray(written)) return [own];
    const list: readonly unknown[] = written;
    return [
      {
        ...own,
        fields: list.map((field) => {
          const key = isObject(field) ? text(field['key']) : undefined;
          return isObject(field) && key !== undefined ? identified(fields, `${entity}.${key}`, field) : field;
        }),
      },
    ];
  });
}

/** Qualified names of all entities, fields and permissions in these documents. */
function namesOf(documents: ReleaseSource['tenantDocuments']): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { document, pack: its } of documents) {
    if (!isObject(document)) continue;
    const pack = text(document['pack']) ?? its;
    if (document['kind'] === 'permission') names.add(nameOfPermission(document, pack));
    if (document['kind'] !== 'entity') continue;
    const entity = `${pack}.${text(document['key'])}`;
    names.add(entity);
    const fields: unknown = document['fields'];
    const list: readonly unknown[] = Array.isArray(fields) ? fields : [];
    for (const field of list) if (isObject(field)) names.add(`${entity}.${text(field['key'])}`);
  }
  return names;
}

function nameOfPermission(document: TenantDocument, pack: string): string {
  const entity = text(document['entity']) ?? text(document['resource']) ?? '';
  return permissionName(text(document['role']) ?? '', qualify(entity, pack), text(document['key']));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
