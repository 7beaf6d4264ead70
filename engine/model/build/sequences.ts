/** Sequences that several fields draw their numbers from. */
import type { Draft } from './draft.ts';

export function buildSequences(draft: Draft): void {
  for (const { document, pack, place } of draft.effective.of('sequence')) {
    const name = `${pack}.${document.key}`;
    const { gapless = false, prefix = '' } = document;
    if (prefix.includes('{') && !gapless)
      draft.faults.add(place('prefix'), 'invalid', 'Only a gapless sequence has the year in its prefix.', {
        found: prefix,
      });
    draft.sequences.set(name, {
      name,
      label: document.label,
      prefix,
      digits: document.digits ?? 5,
      start: document.start ?? 1,
      gapless,
    });
  }
}
