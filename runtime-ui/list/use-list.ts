/** The state of a list: what the address says, joined with the view it names, and the ways to change it. */
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity, UiField, UiView } from '../../engine/api/ui-model.ts';
import { fieldOf, titleFields, useModel, viewsOf } from '../api/model.ts';
import { selectOf } from '../api/records.ts';
import { navigate, usePlace } from '../app/place.ts';
import { listPath } from '../app/route.ts';
import { type Filter, formatListQuery, type ListQuery, parseListQuery, parseOrder, type Sort } from './list-query.ts';

export interface Column {
  readonly field: UiField;
  readonly width: number | null;
  /** Shows the title of the record, links to it, stays in sight. */
  readonly title: boolean;
}

export interface List {
  readonly entity: UiEntity;
  readonly query: ListQuery;
  readonly views: readonly UiView[];
  readonly view: UiView;
  readonly columns: readonly Column[];
  readonly select: string;
  /** What the user sorted by, else what the view says. */
  readonly order: readonly Sort[];
  readonly narrowed: boolean;
  readonly change: (part: Partial<ListQuery>) => void;
}

export function useList(entity: UiEntity): List {
  const { t } = useTranslation();
  const model = useModel();
  const place = usePlace();
  const query = useMemo(() => parseListQuery(place.search, entity), [place.search, entity]);
  const views = useMemo(() => viewsOf(entity, t('list.all', { entities: entity.pluralLabel })), [entity, t]);
  const view = views.find((each) => each.key === query.view) ?? views[0];
  if (!view) throw new TypeError('an entity has at least one view');
  const columns = useMemo(() => columnsOf(entity, view), [entity, view]);
  const select = useMemo(
    () =>
      selectOf(
        model,
        entity,
        columns.map((column) => column.field),
      ),
    [model, entity, columns],
  );
  const change = useCallback(
    (part: Partial<ListQuery>) => {
      const next = formatListQuery({ ...query, ...part });
      // Typing in the search box is one step back, not one per letter.
      const typing = part.search !== undefined && query.search !== '' && part.search !== '';
      void navigate(listPath(entity, next), { replace: typing });
    },
    [entity, query],
  );
  return {
    entity,
    query,
    views,
    view,
    columns,
    select,
    order: query.order.length > 0 ? query.order : parseOrder(view.order),
    narrowed: query.search !== '' || query.filters.length > 0,
    change,
  };
}

/** The title first, then the columns of the view that are not part of it. */
export function columnsOf(entity: UiEntity, view: UiView): readonly Column[] {
  const parts = titleFields(entity);
  const first = parts[0] ? fieldOf(entity, parts[0]) : undefined;
  const known = view.columns.flatMap((column) => {
    const field = fieldOf(entity, column.field);
    return field && (!field.list || field.list.via === 'links') ? [{ field, width: column.width, title: false }] : [];
  });
  const own = known.find((column) => column.field === first);
  const rest = known.filter((column) => !parts.includes(column.field.key));
  const lead = first ?? rest[0]?.field;
  if (!lead) return [];
  return [{ field: lead, width: own?.width ?? null, title: true }, ...rest.filter((column) => column.field !== lead)];
}

/** One filter per field and operator: the API joins all with "and". */
export function withFilter(filters: readonly Filter[], next: Filter, replaced: Filter | null): readonly Filter[] {
  const same = (each: Filter) => each === replaced || (each.field === next.field && each.operator === next.operator);
  const at = filters.findIndex(same);
  const rest = filters.filter((each) => !same(each));
  return at < 0 ? [...rest, next] : rest.toSpliced(at, 0, next);
}
