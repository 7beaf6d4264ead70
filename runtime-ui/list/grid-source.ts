/** Feeds the grid with blocks of records from the API. */
import type { IDatasource } from 'ag-grid-community';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { type ApiRecord, readPage } from '../api/records.ts';
import type { Count } from './list-page.tsx';

/** Records per request. */
export const BLOCK = 100;
/** The API answers offsets up to this; what lies behind it is found by filtering. */
export const LAST_OFFSET = 10_000;

/** What came of the first block of a source. */
export interface Outcome {
  readonly source: IDatasource;
  readonly state: 'ready' | 'empty' | 'failed';
  readonly count: Count | null;
  readonly error: unknown;
}

type Sorts = readonly { readonly colId: string; readonly sort: string | null | undefined }[];

/** @param query of the list, for an order as the grid says it, without paging */
export function gridSource(
  entity: UiEntity,
  query: (sorts: Sorts) => string,
  tell: (outcome: Outcome) => void,
): IDatasource {
  const stop = new AbortController();
  const source: IDatasource = {
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
          const more = page.count?.mode === 'atLeast';
          const known = rows.length < BLOCK || end > LAST_OFFSET ? end : more ? undefined : page.count?.value;
          params.successCallback(rows, known);
          if (first)
            tell({
              source,
              state: rows.length === 0 ? 'empty' : 'ready',
              count: page.count ? { value: page.count.value, more } : null,
              error: null,
            });
        })
        .catch((error: unknown) => {
          if (stop.signal.aborted) return;
          params.failCallback();
          tell({ source, state: 'failed', count: null, error });
        });
    },
  };
  return source;
}
