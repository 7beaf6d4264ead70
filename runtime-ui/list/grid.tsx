/** The list on a desk: AG Grid, sorted and filtered by the server. */
import { Skeleton, useDirection } from '@mantine/core';
import { AllCommunityModule, type ColDef, type ICellRendererParams, ModuleRegistry, themeQuartz } from 'ag-grid-community';
import { AgGridReact } from 'ag-grid-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isNumeric, kindOf } from '../api/field-kind.ts';
import type { ApiRecord } from '../api/records.ts';
import { recordPath } from '../app/route.ts';
import { useFormat } from '../i18n/format.ts';
import { Link } from '../shared/link.tsx';
import { nonce } from '../shared/nonce.ts';
import { ErrorState } from '../shared/states.tsx';
import { FieldValue, textOf } from '../values/field-value.tsx';
import { rememberWidth, widthsOf } from './column-widths.ts';
import { EmptyList } from './empty-list.tsx';
import { BLOCK, gridSource, LAST_OFFSET } from './grid-source.ts';
import type { Count } from './list-page.tsx';
import classes from './list-page.module.css';
import { apiQuery, formatOrder, type Sort } from './list-query.ts';
import type { Column, List } from './use-list.ts';

ModuleRegistry.registerModules([AllCommunityModule]);

const look = themeQuartz.withParams({
  accentColor: 'var(--mantine-primary-color-filled)',
  backgroundColor: 'var(--page)',
  foregroundColor: 'var(--mantine-color-text)',
  borderColor: 'var(--line)',
  browserColorScheme: 'inherit',
  fontFamily: 'inherit',
  fontSize: 13.5,
  headerBackgroundColor: 'var(--page)',
  headerTextColor: 'var(--quiet)',
  headerFontSize: 12.5,
  headerFontWeight: 500,
  headerHeight: 36,
  rowHeight: 40,
  rowHoverColor: 'var(--hover)',
  cellHorizontalPadding: 14,
  wrapperBorder: false,
  wrapperBorderRadius: 0,
  headerColumnResizeHandleColor: 'var(--line)',
  columnBorder: false,
  pinnedColumnBorder: { color: 'var(--line)' },
});

type Cell = ICellRendererParams<ApiRecord>;

export function Grid({ list, onCount }: { readonly list: List; readonly onCount: (count: Count | null) => void }) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const { dir } = useDirection();
  const grid = useRef<AgGridReact<ApiRecord>>(null);
  const [state, setState] = useState<'loading' | 'ready' | 'empty'>('loading');
  const [error, setError] = useState<unknown>(null);
  const [more, setMore] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const { entity, view, columns, select, order, change } = list;
  const definitions = useMemo(() => columns.map((column) => definition(list, column, dir)), [columns, view, entity, dir]);
  // Sorting is read from the grid, all else from the address: a new source is made only for other records.
  const records = apiQuery(list.query, view, select, []);
  const latest = useRef(list);
  latest.current = list;
  const source = useMemo(() => {
    setState('loading');
    setError(null);
    const query = (model: readonly { colId: string; sort: string | null | undefined }[]) => apiQuery(latest.current.query, view, select, orderFrom(model, latest.current));
    return gridSource(entity, query, {
      onFirst: (count, empty) => {
        onCount(count);
        setMore(count?.more ?? false);
        setState(empty ? 'empty' : 'ready');
        setError(null);
      },
      onError: setError,
    });
  }, [records, entity, attempt]);
  // Back and Forward change the order in the address: the grid follows.
  const wanted = formatOrder(order);
  useEffect(() => {
    const api = grid.current?.api;
    if (!api || formatOrder(sorted(api.getColumnState())) === wanted) return;
    const state = order.map((sort, sortIndex) => ({ colId: sort.field, sort: sort.descending ? ('desc' as const) : ('asc' as const), sortIndex }));
    api.applyColumnState({ state, defaultState: { sort: null } });
  }, [wanted]);
  return (
    <>
      <div className={classes['grid']}>
        <AgGridReact<ApiRecord>
          key={`${dir} ${i18n.language}`}
          ref={grid}
          theme={look}
          styleNonce={nonce}
          enableRtl={dir === 'rtl'}
          columnDefs={definitions}
          defaultColDef={{ resizable: true, suppressMovable: false, minWidth: 90, sortingOrder: ['asc', 'desc', null], suppressHeaderMenuButton: true }}
          rowModelType="infinite"
          datasource={source}
          cacheBlockSize={BLOCK}
          maxBlocksInCache={12}
          infiniteInitialRowCount={30}
          getRowId={(params) => params.data.id}
          multiSortKey="ctrl"
          suppressCellFocus={false}
          animateRows={false}
          suppressNoRowsOverlay
          loading={false}
          aria-label={t('list.grid', { entities: entity.pluralLabel })}
          onSortChanged={(event) => {
            if (event.source === 'api') return;
            const next = sorted(event.api.getColumnState());
            change({ order: formatOrder(next) === view.order ? [] : next });
          }}
          onColumnResized={(event) => {
            if (event.finished && event.column && event.source === 'uiColumnResized') rememberWidth(entity, view, event.column.getColId(), event.column.getActualWidth());
          }}
          onCellKeyDown={(event) => {
            const link = event.event instanceof KeyboardEvent && event.event.key === 'Enter' && event.event.target instanceof HTMLElement ? event.event.target.querySelector('a') : null;
            link?.click();
          }}
        />
        {error ? (
          <div className={classes['over']}>
            <ErrorState error={error} onRetry={() => setAttempt((count) => count + 1)} />
          </div>
        ) : state === 'ready' ? null : (
          <div className={classes['over']}>{state === 'empty' ? <EmptyList list={list} /> : <Rows label={t('state.loading')} />}</div>
        )}
      </div>
      {more ? <p className={classes['note']}>{t('list.limit', { value: format.integer(LAST_OFFSET) })}</p> : null}
    </>
  );
}

function Rows({ label }: { readonly label: string }) {
  return (
    <div className={classes['rows']} role="status" aria-label={label}>
      {[1, 2, 3, 4, 5, 6, 7, 8].map((row) => (
        <Skeleton key={row} h={18} />
      ))}
    </div>
  );
}

function definition(list: List, column: Column, dir: 'ltr' | 'rtl'): ColDef<ApiRecord> {
  const { field, title } = column;
  const { key } = field;
  // Digits run from left to right in every language: their columns line up at the right, where right-to-left text starts anyway.
  const numeric = !title && isNumeric(kindOf(field)) && dir === 'ltr';
  const start = dir === 'rtl' ? 'right' : 'left';
  const at = list.order.findIndex((sort) => sort.field === key);
  const width = widthsOf(list.entity, list.view)[key] ?? column.width;
  return {
    colId: key,
    field: key,
    headerName: title && field.key !== list.entity.title.replaceAll(/[{}]/g, '') ? list.entity.label : field.label,
    sortable: field.sortable,
    pinned: title ? start : null,
    lockPinned: true,
    lockPosition: title ? start : false,
    ...(width ? { width } : title ? { width: 260 } : { flex: 1, minWidth: minimum(column) }),
    ...(numeric ? { type: 'rightAligned' } : {}),
    ...(at >= 0 ? { initialSort: list.order[at]?.descending ? ('desc' as const) : ('asc' as const), initialSortIndex: at } : {}),
    cellRenderer: (cell: Cell) => {
      const record = cell.data;
      if (!record) return <Skeleton h={12} w="60%" display="inline-block" />;
      if (!title) return <FieldValue field={field} value={record[key]} record={record} />;
      return (
        <Link className={classes['titleLink']} href={recordPath(list.entity, record.id)} dir="auto">
          {textOf(record['_title']) || '—'}
        </Link>
      );
    },
  };
}

function minimum(column: Column): number {
  const kind = kindOf(column.field);
  return kind === 'money' || kind === 'datetime' || kind === 'email' ? 170 : 130;
}

function sorted(state: readonly { colId: string; sort?: string | null | undefined; sortIndex?: number | null | undefined }[]): readonly Sort[] {
  return state
    .filter((column) => column.sort)
    .sort((a, b) => (a.sortIndex ?? 0) - (b.sortIndex ?? 0))
    .map((column) => ({ field: column.colId, descending: column.sort === 'desc' }));
}

/** The grid knows only the columns in sight; a view may also sort by others. */
function orderFrom(model: readonly { colId: string; sort: string | null | undefined }[], list: List): readonly Sort[] {
  const own = model.map((sort) => ({ field: sort.colId, descending: sort.sort === 'desc' }));
  const visible = list.order.filter((sort) => list.columns.some((column) => column.field.key === sort.field));
  return formatOrder(own) === formatOrder(visible) ? list.order : own;
}
