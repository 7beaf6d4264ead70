/** From the documents of all layers to one document per thing: shape, layers, and whether overrides override something. */
import { CORE, CUSTOM, type DocumentOf, type Kind, type ReleaseSource } from './documents.ts';
import type { Faults } from './faults.ts';
import { nearest } from '../nearest.ts';
import { didYouMean } from './faults.ts';
import { type EffectiveDocument, type LayeredDocument, mergeLayers } from './layers.ts';
import { identityOf, isReservedPack } from './naming.ts';
import { checkMerged, shapeDocuments } from './validate.ts';

export type Layers = Pick<ReleaseSource, 'packs' | 'tenantDocuments'>;

/** The effective documents of a release, by kind. */
export interface Effective {
  of<K extends Kind>(kind: K): readonly EffectiveDocument<DocumentOf<K>>[];
}

/** Collects faults; documents without a shape are left out. */
export function effectiveDocuments({ packs, tenantDocuments }: Layers, faults: Faults): Effective {
  const layered: LayeredDocument[] = [];
  const packKeys = new Set(packs.map(({ key }) => key));
  // Every layer is validated with those below it: only there can be seen what is an override.
  const shaped = shapeDocuments([...packs.flatMap(({ documents }) => documents), ...tenantDocuments], faults);
  const known = new Set<string>();
  // By the documents themselves: a file of a plugin may be called as an organisation's document is.
  const ofTenant = new Set(tenantDocuments.map(({ document }) => document));
  const inLayer = new Map<string, string>();
  for (const document of shaped) {
    const own = ofTenant.has(document.document);
    if (!checkPack(document, own, packKeys, faults)) continue;
    const identity = identityOf(document.document, document.pack);
    const layer = own ? 'tenant' : (document.layer ?? document.pack);
    const place = { document: document.source, pointer: '' };
    const before = inLayer.get(`${layer} ${identity}`);
    if (before !== undefined && document.document.kind !== 'role' && document.document.kind !== 'menu') {
      faults.add(place, 'duplicate', `This is also defined in ${before}.`, { found: identity });
      continue;
    }
    inLayer.set(`${layer} ${identity}`, document.source);
    // A plugin’s, too, may change what a pack has, and put nothing there.
    if ((own || layer !== document.pack) && needsBase(document) && !known.has(identity)) {
      const suggestion = nearest(identity, known);
      faults.add(
        place,
        'nothing_to_override',
        `The pack ${document.pack} has no ${identity}.${didYouMean(suggestion)} ${own ? `An organisation’s own documents have "pack": "${CUSTOM}".` : 'Documents of its own have no “pack”.'}`,
        { found: identity },
      );
      continue;
    }
    known.add(identity);
    layered.push(document);
  }
  const merged = mergeLayers(layered);
  for (const { document, place } of merged) {
    if (document.kind !== 'pack') continue;
    document.requires?.forEach((key, index) => {
      if (!packKeys.has(key)) faults.unknown(place('requires', index), 'pack', key, packKeys);
    });
  }
  for (const effective of merged) if (effective.layers > 1) checkMerged(effective, faults);
  const byKind = Map.groupBy(merged, ({ document }) => document.kind);
  return {
    of: <K extends Kind>(kind: K) =>
      (byKind.get(kind) ?? []).filter((one): one is EffectiveDocument<DocumentOf<K>> => isOfKind(one, kind)),
  };
}

function isOfKind(effective: EffectiveDocument, kind: Kind): boolean {
  return effective.document.kind === kind;
}

const NAMESPACED: ReadonlySet<Kind> = new Set<Kind>([
  'entity',
  'lifecycle',
  'view',
  'rule',
  'flag',
  'setting',
  'sequence',
  'template',
  'metric',
]);

/** Things whose key lives in a pack's namespace: an organisation cannot put its own there, a later version of the pack might bring the same. */
function needsBase({ document, pack }: LayeredDocument): boolean {
  return pack !== CUSTOM && document.removed !== true && NAMESPACED.has(document.kind);
}

function checkPack(
  { document, source, pack }: LayeredDocument,
  own: boolean,
  packs: ReadonlySet<string>,
  faults: Faults,
): boolean {
  const at = { document: source, pointer: document.kind === 'pack' ? '/key' : '/pack' };
  if (document.kind === 'pack' && own) {
    faults.add({ document: source, pointer: '/kind' }, 'invalid', 'An organisation’s documents hold no pack.');
    return false;
  }
  if (packs.has(pack) || (own && pack === CUSTOM)) {
    if (pack === CORE || !isReservedPack(pack)) return true;
    faults.add(at, 'reserved', `A pack cannot be called “${pack}”: the engine uses this name itself.`, { found: pack });
    return false;
  }
  faults.unknown(at, 'pack', pack, [...packs, ...(own ? [CUSTOM] : [])]);
  return false;
}
