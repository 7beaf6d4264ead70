/** Feeds the grid with blocks of records from the API. */
import type { IDatasource } from 'ag-grid-community';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { type ApiRecord, readPage } from '../api/records.ts';

/** Records per request. */
export const BLOCK = 100;
/** The API answers offsets up to this; what lies behind it is found by filtering. */
export const LAST_OFFSET = 10_000;

export interface SourceEvents {
  /** The first block of a source is there. */
  readonly onFirst: (count: { readonly value: number; readonly more: boolean } | null, empty: boolean) => void;
  readonly onError: (error: unknown) => void;
}

/** @param query of the list for an order (as the grid says it), without paging */
export function gridSource(entity: UiEntity, query: (sortModel: readonly { colId: string; sort: string | null | undefined }[]) => string, events: SourceEvents): IDatasource {
  const stop = new AbortController();
  return {
    destroy: () => stop.abort(),
    getRows(params) {
      const first = params.startRow === 0;
      if (params.startRow > LAST_OFFSET) {
        params.successCallback([], params.startRow);
        return;
      }
      const paging = `&$first=${BLOCK}${first ? '&$count=capped' : `&$offset=${params.startRow}`}`;
      readPage(entity, query(params.sortModel) + paging, stop.signal)
        .then((page) => {
          if (stop.signal.aborted) return;
          const rows: ApiRecord[] = [...page.data];
          const end = params.startRow + rows.length;
          const known = page.count && page.count.mode !== 'atLeast' ? page.count.value : undefined;
          const last = rows.length < BLOCK ? end : known;
          params.successCallback(rows, last ?? (end > LAST_OFFSET ? end : undefined));
          if (first) events.onFirst(page.count ? { value: page.count.value, more: page.count.mode === 'atLeast' } : null, rows.length === 0);
        })
        .catch((error: unknown) => {
          if (stop.signal.aborted) return;
          params.failCallback();
          events.onError(error);
        });
    },
  };
}
