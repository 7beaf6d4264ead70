/** Sequences that several fields draw their numbers from. */
import type { Draft } from './draft.ts';

export function buildSequences(draft: Draft): void {
  for (const { document, pack } of draft.effective.of('sequence')) {
    const name = `${pack}.${document.key}`;
    draft.sequences.set(name, {
      name,
      label: document.label,
      prefix: document.prefix ?? '',
      digits: document.digits ?? 5,
      start: document.start ?? 1,
      gapless: document.gapless ?? false,
      reset: document.reset ?? 'never',
    });
  }
}
