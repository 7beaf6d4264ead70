/** Two releases side by side, of one organisation or of two. */
import { buildModel } from '../model/build.ts';
import { diffDocuments, type DocumentChange } from '../model/diff-documents.ts';
import { type Effect, effectOf } from '../model/diff-effect.ts';
import type { ReleaseSource } from '../model/documents.ts';

export interface ReleaseDiff {
  readonly from: { readonly tenant: string; readonly release: number };
  readonly to: { readonly tenant: string; readonly release: number };
  readonly documents: readonly DocumentChange[];
  /** What it means for data and for people. */
  readonly effect: Effect;
}

export function diffReleases(from: ReleaseSource, to: ReleaseSource): ReleaseDiff {
  return {
    from: { tenant: from.tenant, release: from.release },
    to: { tenant: to.tenant, release: to.release },
    documents: diffDocuments(from, to),
    effect: effectOf(buildModel(from), buildModel(to)),
  };
}
