/** The timeline of a record: what happened to it, and what was made that refers to it, newest first. */
import type { UiEntity } from '../../engine/api/ui-model.ts';
import type { ApiRecord, HistoryEntry } from '../api/records.ts';

/** Of each list of related records, and of the whole. */
export const RELATED = 20;
const SHOWN = 100;

export type TimelineEntry =
  | { readonly kind: 'change'; readonly key: string; readonly at: string; readonly entry: HistoryEntry }
  | {
      readonly kind: 'related';
      readonly key: string;
      readonly at: string;
      readonly entity: UiEntity;
      readonly record: ApiRecord;
    };

/**
 * @param related records that refer to this one; one that refers to it twice stands here once
 */
export function timelineOf(
  history: readonly HistoryEntry[],
  related: readonly { readonly entity: UiEntity; readonly records: readonly ApiRecord[] }[],
): readonly TimelineEntry[] {
  const entries = new Map<string, TimelineEntry>();
  for (const entry of history) {
    const key = `change ${entry.version}`;
    entries.set(key, { kind: 'change', key, at: entry.at, entry });
  }
  for (const { entity, records } of related) {
    for (const record of records) {
      const at = record['created_at'];
      const key = `${entity.name} ${record.id}`;
      if (typeof at === 'string') entries.set(key, { kind: 'related', key, at, entity, record });
    }
  }
  return [...entries.values()].toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, SHOWN);
}
