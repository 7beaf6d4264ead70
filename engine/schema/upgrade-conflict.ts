/** An upgrade that somebody has to decide about, as a problem: every conflict with its place and the three values. */
import type { UpgradeConflict } from '../model/upgrade.ts';
import { Problem } from '../problem.ts';

export function upgradeConflict(conflicts: readonly UpgradeConflict[]): Problem {
  const [first] = conflicts;
  const more = conflicts.length > 1 ? ` (and ${conflicts.length - 1} more)` : '';
  return new Problem(
    'upgrade_conflict',
    `${first?.message ?? 'The packs and the organisation disagree.'}${more} Decide each by its id in “resolutions”: keep or take.`,
    conflicts.map(({ id, kind, document, pointer, message, base, ours, theirs, resolutions }) => ({
      code: kind,
      message,
      document,
      pointer,
      params: { id, base: base ?? null, ours: ours ?? null, theirs: theirs ?? null, resolutions },
    })),
  );
}
