/** What a release is made from: shipped packs, the organisation's own documents, identities. */
import type { OnFails } from './convert/conversions.ts';
import { assignIdentities, NO_IDENTITIES } from '../model/build.ts';
import {
  CORE,
  CUSTOM,
  type Identities,
  isObject,
  type Pack,
  type ReleaseSource,
  type SourceDocument,
} from '../model/documents.ts';
import type { Resolutions } from '../model/merge-documents.ts';
import { inOrder, requirements } from '../model/packs.ts';
import type { Tenant } from '../model/tenant.ts';
import { upgrade, type UpgradeConflict } from '../model/upgrade.ts';
import { Problem } from '../problem.ts';

/** A document of the organisation as its author wrote it: plain JSON, `kind` and key inside. */
export type TenantDocument = Readonly<Record<string, unknown>>;

/** What a publish changes; what is left out stays as it is. */
export interface SourceInput {
  /** Keys of the packs to have, as they are shipped now; those they require come along, and `core` always. */
  readonly packs?: readonly string[] | undefined;
  /** All of the organisation's own documents: one that is missing is removed. */
  readonly documents?: readonly TenantDocument[] | undefined;
  /** Takes the packs that are there as they are shipped now; `packs` does so too. */
  readonly upgrade?: boolean | undefined;
  /** What is decided where an upgrade and the organisation's documents disagree, by the conflict's id. */
  readonly resolutions?: Resolutions | undefined;
  /** What becomes of values that a field's new type cannot take: refused when left out. */
  readonly onFail?: OnFails | undefined;
}

export interface NextSource {
  readonly source: ReleaseSource;
  /** What nobody has decided; empty unless packs change under documents of the organisation. */
  readonly conflicts: readonly UpgradeConflict[];
}

/**
 * @param previous source of the release it is based on; `null` for the first
 * @param former as {@link assignIdentities}
 * @throws Problem `invalid_document` for a pack that is not shipped and for documents without a shape
 */
export function nextSource(
  tenant: Tenant,
  number: number,
  previous: ReleaseSource | null,
  input: SourceInput,
  shipped: readonly Pack[],
  former: readonly Identities[] = [],
): NextSource {
  const wanted = input.packs ?? (input.upgrade ? previous?.packs.map(({ key }) => key) : undefined);
  const unassigned = {
    tenant: tenant.key,
    release: number,
    settings: settingsOf(tenant),
    packs: wanted || !previous ? choosePacks(wanted ?? [], shipped) : previous.packs,
    tenantDocuments: input.documents ? input.documents.map(sourceDocument) : (previous?.tenantDocuments ?? []),
  };
  const known = previous?.identities ?? NO_IDENTITIES;
  const { tenantDocuments, conflicts } =
    previous && wanted
      ? upgrade({ ...unassigned, identities: known }, previous.packs, input.resolutions)
      : { tenantDocuments: unassigned.tenantDocuments, conflicts: [] };
  const upgraded = { ...unassigned, tenantDocuments };
  return { source: { ...upgraded, identities: assignIdentities(upgraded, known, former) }, conflicts };
}

/** What the documents say has been there and the release before does not have: it may come back. */
export function returningIds(previous: ReleaseSource | null, { documents = [] }: SourceInput): readonly string[] {
  const { entities, fields } = previous?.identities ?? NO_IDENTITIES;
  const known = new Set([...Object.values(entities), ...Object.values(fields)]);
  const written = documents
    .filter(({ kind }) => kind === 'entity')
    .flatMap((document) => [document, ...(Array.isArray(document['fields']) ? document['fields'] : [])])
    .flatMap((one: unknown) => (isObject(one) && typeof one['id'] === 'string' ? one['id'] : []));
  return [...new Set(written)].filter((id) => !known.has(id));
}

/** Decides everything for what the organisation has, as far as that is possible: what a plan of undecided conflicts shows. */
export function keepAll(conflicts: readonly UpgradeConflict[]): Resolutions {
  return Object.fromEntries(conflicts.map(({ id, resolutions }) => [id, resolutions[0] ?? 'keep']));
}

/** What an organisation without a release has: nothing. */
export function emptySource(tenant: Tenant): ReleaseSource {
  const settings = settingsOf(tenant);
  return { tenant: tenant.key, release: 0, settings, packs: [], tenantDocuments: [], identities: NO_IDENTITIES };
}

/** An old release anew: the same documents and identities under the next number. */
export function sourceAgain(tenant: Tenant, number: number, old: ReleaseSource): ReleaseSource {
  return { ...old, release: number, settings: settingsOf(tenant) };
}

function settingsOf({ currency, country, timeZone, locale }: Tenant): ReleaseSource['settings'] {
  return { currency, country, timeZone, locale };
}

function choosePacks(keys: readonly string[], shipped: readonly Pack[]): readonly Pack[] {
  const byKey = new Map(shipped.map((pack) => [pack.key, pack]));
  const chosen = new Set<Pack>();
  const choose = (key: string, pointer: string): void => {
    const pack = byKey.get(key);
    if (!pack) {
      const message = `There is no pack “${key}”.`;
      throw new Problem('invalid_document', message, [
        { code: 'unknown_reference', message, pointer, params: { found: key, expected: [...byKey.keys()] } },
      ]);
    }
    if (chosen.has(pack)) return;
    chosen.add(pack);
    for (const required of requirements(pack)) choose(required, pointer);
  };
  choose(CORE, '/packs');
  keys.forEach((key, index) => choose(key, `/packs/${index}`));
  const layer = ({ key, plugin }: Pack) => (key === CORE ? 0 : plugin ? 2 : 1);
  return inOrder([...chosen]).toSorted((a, b) => layer(a) - layer(b));
}

function sourceDocument(document: TenantDocument, index: number): SourceDocument {
  const text = (key: string): string[] => (typeof document[key] === 'string' ? [document[key]] : []);
  const pack = text('pack')[0] ?? CUSTOM;
  const name = [...text('role'), ...text('entity'), ...text('key'), ...text('locale')].join('.');
  return {
    document,
    source: name === '' ? `documents/${index}` : `${pack}/${name}.${text('kind')[0] ?? 'document'}.json`,
    pack,
  };
}

/** Where an entity, a field of it, or one property of the field is written: the highest layer that has it. */
export function locate(
  source: ReleaseSource,
  entity: string,
  field: string | null,
  property: string | null,
): { readonly document?: string; readonly pointer?: string } {
  const [pack, key] = entity.split('.');
  const layers = [...source.packs.flatMap(({ documents }) => documents), ...source.tenantDocuments].toReversed();
  let found: { readonly document: string; readonly pointer: string } | null = null;
  for (const { document, source: name, pack: its } of layers) {
    if (
      !isObject(document) ||
      document['kind'] !== 'entity' ||
      document['key'] !== key ||
      (document['pack'] ?? its) !== pack
    )
      continue;
    const fields: unknown = document['fields'];
    const list: readonly unknown[] = Array.isArray(fields) ? fields : [];
    const index = list.findIndex((one) => isObject(one) && one['key'] === field);
    const at = list[index];
    if (isObject(at))
      return {
        document: name,
        pointer: `/fields/${index}${property !== null && property in at ? `/${property}` : ''}`,
      };
    found ??= { document: name, pointer: '' };
  }
  return found ?? {};
}
