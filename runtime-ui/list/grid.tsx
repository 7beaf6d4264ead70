/** The list on a desk: AG Grid, sorted and filtered by the server. */
import { Skeleton, useDirection } from '@mantine/core';
import { AllCommunityModule, ModuleRegistry } from 'ag-grid-community';
import { AgGridReact } from 'ag-grid-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiRecord } from '../api/records.ts';
import { onChanged } from '../app/live.ts';
import { useFormat } from '../i18n/format.ts';
import { nonce } from '../shared/nonce.ts';
import { ErrorState } from '../shared/states.tsx';
import { Waiting } from '../shared/waiting.tsx';
import { rememberWidth } from './column-widths.ts';
import { EmptyList } from './empty-list.tsx';
import { definition } from './grid-column.tsx';
import { gridLook } from './grid-look.ts';
import { BLOCK, gridSource, LAST_OFFSET, type Outcome } from './grid-source.ts';
import type { Count } from './list-page.tsx';
import classes from './list-page.module.css';
import { apiQuery, formatOrder, parseOrder, type Sort } from './list-query.ts';
import type { List } from './use-list.ts';

ModuleRegistry.registerModules([AllCommunityModule]);

interface SortedColumn {
  readonly colId: string;
  readonly sort?: string | null | undefined;
  readonly sortIndex?: number | null | undefined;
}

export function Grid({ list, onCount }: { readonly list: List; readonly onCount: (count: Count | null) => void }) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const { dir } = useDirection();
  const grid = useRef<AgGridReact<ApiRecord>>(null);
  const { entity, view, columns, select, order, change } = list;
  const [initialOrder] = useState(order);
  const definitions = useMemo(
    () => columns.map((column) => definition(entity, view, column, initialOrder, dir)),
    [entity, view, columns, initialOrder, dir],
  );

  // The grid itself says how it is sorted, the address all else: only other records need another source.
  const records = apiQuery(list.query, view, select, []);
  const beyond = order.some((sort) => columns.every((column) => column.field.key !== sort.field))
    ? formatOrder(order)
    : '';
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const source = useMemo(() => {
    const query = (sorts: readonly SortedColumn[]) => {
      const own = orderOf(sorts, beyond);
      return own ? `${records}&$order=${own}` : records;
    };
    return gridSource(entity, query, setOutcome);
  }, [entity, records, beyond]);
  const current = outcome?.source === source ? outcome : null;
  const count = current?.count ?? null;
  useEffect(() => onCount(count), [count, onCount]);

  // Back and Forward change the order in the address: the grid follows.
  useEffect(() => {
    const api = grid.current?.api;
    if (!api || formatOrder(sorted(api.getColumnState())) === formatOrder(order)) return;
    const state = order.map((sort, sortIndex) => ({
      colId: sort.field,
      sort: sort.descending ? ('desc' as const) : ('asc' as const),
      sortIndex,
    }));
    api.applyColumnState({ state, defaultState: { sort: null } });
  }, [order]);
  // What others have changed is fetched into the rows in sight; nothing jumps.
  useEffect(
    () =>
      onChanged((entities) => {
        if (entities.has(entity.name)) grid.current?.api.refreshInfiniteCache();
      }),
    [entity],
  );
  const retry = () => {
    setOutcome(null);
    grid.current?.api.purgeInfiniteCache();
  };
  return (
    <>
      <div className={classes['grid']}>
        <AgGridReact<ApiRecord>
          key={`${dir} ${i18n.language}`}
          ref={grid}
          theme={gridLook}
          styleNonce={nonce}
          enableRtl={dir === 'rtl'}
          columnDefs={definitions}
          defaultColDef={DEFAULT_COLUMN}
          rowModelType="infinite"
          datasource={source}
          cacheBlockSize={BLOCK}
          maxBlocksInCache={12}
          infiniteInitialRowCount={30}
          getRowId={(params) => params.data.id}
          multiSortKey="ctrl"
          animateRows={false}
          suppressNoRowsOverlay
          onSortChanged={(event) => {
            if (event.source === 'api') return;
            const next = sorted(event.api.getColumnState());
            change({ order: formatOrder(next) === view.order ? [] : next });
          }}
          onColumnResized={(event) => {
            if (event.finished && event.column && event.source === 'uiColumnResized')
              rememberWidth(entity, view, event.column.getColId(), event.column.getActualWidth());
          }}
          onCellKeyDown={(event) => {
            const key = event.event;
            if (key instanceof KeyboardEvent && key.key === 'Enter' && key.target instanceof HTMLElement)
              key.target.querySelector('a')?.click();
          }}
        />
        {current?.state === 'ready' ? null : (
          <div className={classes['over']}>
            {current?.state === 'failed' ? (
              <ErrorState error={current.error} onRetry={retry} />
            ) : current?.state === 'empty' ? (
              <EmptyList list={list} />
            ) : (
              <Rows />
            )}
          </div>
        )}
      </div>
      {count?.more ? (
        <p className={classes['note']}>{t('list.limit', { value: format.integer(LAST_OFFSET) })}</p>
      ) : null}
    </>
  );
}

const DEFAULT_COLUMN = {
  resizable: true,
  minWidth: 90,
  sortingOrder: ['asc' as const, 'desc' as const, null],
  suppressHeaderMenuButton: true,
};

function Rows() {
  return (
    <Waiting className={classes['rows']}>
      {[1, 2, 3, 4, 5, 6, 7, 8].map((row) => (
        <Skeleton key={row} h={12} w={row % 3 ? '92%' : '78%'} />
      ))}
    </Waiting>
  );
}

function sorted(state: readonly SortedColumn[]): readonly Sort[] {
  return state
    .filter((column) => column.sort)
    .sort((a, b) => (a.sortIndex ?? 0) - (b.sortIndex ?? 0))
    .map((column) => ({ field: column.colId, descending: column.sort === 'desc' }));
}

/**
 * `$order` for what the grid says.
 * @param beyond an order that names columns out of sight, which the grid cannot know; it holds as long as the grid agrees with its visible part
 */
function orderOf(sorts: readonly SortedColumn[], beyond: string): string {
  const own = sorts.map((sort) => ({ field: sort.colId, descending: sort.sort === 'desc' }));
  const visible = parseOrder(beyond).filter((sort) => own.some((each) => each.field === sort.field));
  return beyond && formatOrder(visible) === formatOrder(own) ? beyond : formatOrder(own);
}
