/** The rules by which records are probably the same. */
import type { DuplicateMatch, DuplicateRule } from '../duplicates.ts';
import { readable } from '../naming.ts';
import { type Draft, type DraftEntity, fieldNamed, noDoubles } from './draft.ts';

const THRESHOLD = 0.5;

export function buildDuplicates(draft: Draft, entity: DraftEntity): void {
  const notes = draft.notes.get(entity.name);
  const written = notes?.effective.document.duplicates;
  if (!notes || !written) return;
  const { place } = notes.effective;
  noDoubles(draft, written, 'duplicates', (index) => place('duplicates', index, 'key'));
  if (entity.parent)
    draft.faults.add(
      place('duplicates'),
      'invalid',
      'A part has no duplicates of its own: look for those of its parent.',
    );
  entity.duplicates = written.map(
    ({ key, label, match, onCreate }, index): DuplicateRule => ({
      key,
      label: label ?? readable(key),
      onCreate: onCreate ?? 'warn',
      match: match.flatMap(({ field: name, how, threshold, ignore }, position): readonly DuplicateMatch[] => {
        const at = place('duplicates', index, 'match', position, 'field');
        const field = fieldNamed(draft, entity, name, at);
        if (!field) return [];
        const single = field.type.valueType !== null && !['texts', 'uuids'].includes(field.type.valueType);
        if (
          field.column === null ||
          field.type.computed ||
          !single ||
          (how !== 'exact' && field.type.valueType !== 'text')
        )
          draft.faults.add(
            at,
            'invalid',
            `“${name}” cannot be compared ${how === 'exact' ? '' : `as “${how}” `}here.`,
            {
              found: field.type.key,
            },
          );
        return [{ field: name, how, threshold: threshold ?? THRESHOLD, ignore: [...new Set(ignore ?? [])].sort() }];
      }),
    }),
  );
}
