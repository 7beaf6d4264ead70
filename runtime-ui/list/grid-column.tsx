/** One column of the grid: the title as a link, every other value by its type. */
import { Skeleton } from '@mantine/core';
import type { ColDef, ICellRendererParams } from 'ag-grid-community';
import type { UiEntity, UiField, UiView } from '../../engine/api/ui-model.ts';
import { type FieldKind, isNumeric, kindOf } from '../api/field-kind.ts';
import type { ApiRecord } from '../api/records.ts';
import { recordPath } from '../app/route.ts';
import { Link } from '../shared/link.tsx';
import { FieldValue, textOf } from '../values/field-value.tsx';
import { widthsOf } from './column-widths.ts';
import { CELL_PADDING } from './grid-look.ts';
import classes from './list-page.module.css';
import type { Sort } from './list-query.ts';
import type { Column } from './use-list.ts';

/** Pixels. */
const TITLE_WIDTH = 256;

/** How wide columns of a kind begin, in pixels, and their share of the room that is left. Values people compare are short; names are long. */
const WIDTHS: Partial<Record<FieldKind, readonly [minimum: number, share: number]>> = {
  boolean: [90, 0.5],
  integer: [100, 0.5],
  decimal: [110, 0.5],
  percent: [110, 0.5],
  date: [130, 0.3],
  currency: [100, 0.5],
  money: [138, 1],
  phone: [150, 0.6],
  datetime: [194, 0.3],
  email: [200, 1.2],
  reference: [130, 1.2],
};
/** A name with its initials. */
const PERSON = [154, 0.6] as const;
const OTHERS = [120, 1] as const;
/** Width of a letter, and of what a badge has beside its text. */
const LETTER = 7.3;
const BADGE = 34;

export function definition(
  entity: UiEntity,
  view: UiView,
  column: Column,
  order: readonly Sort[],
  dir: 'ltr' | 'rtl',
): ColDef<ApiRecord> {
  const { field, title } = column;
  const { key } = field;
  // Digits run from left to right in every language: their columns line up at the right, where right-to-left text starts anyway.
  const numeric = !title && isNumeric(kindOf(field)) && dir === 'ltr';
  const start = dir === 'rtl' ? 'right' : 'left';
  const at = order.findIndex((sort) => sort.field === key);
  const [minimum, share] = room(field);
  const width = widthsOf(entity, view)[key] ?? column.width;
  return {
    colId: key,
    field: key,
    // A title of several fields is called as the entity is.
    headerName: title && entity.title !== `{${key}}` ? entity.label : field.label,
    sortable: field.sortable,
    pinned: title ? start : null,
    lockPinned: true,
    lockPosition: title ? start : false,
    ...(width ? { width } : title ? { width: TITLE_WIDTH } : { flex: share, minWidth: minimum }),
    ...(numeric ? { type: 'rightAligned' } : {}),
    ...(at >= 0
      ? { initialSort: order[at]?.descending ? ('desc' as const) : ('asc' as const), initialSortIndex: at }
      : {}),
    cellRenderer: ({ data }: ICellRendererParams<ApiRecord>) => {
      if (!data) return <Skeleton h={12} w="60%" display="inline-block" />;
      if (!title) return <FieldValue field={field} value={data[key]} record={data} />;
      return (
        <Link className={classes['titleLink']} href={recordPath(entity, data.id)} dir="auto">
          {textOf(data['_title']) || '—'}
        </Link>
      );
    },
  };
}

function room(field: UiField): readonly [minimum: number, share: number] {
  if (field.reference === 'core.user') return PERSON;
  if (field.choices) {
    const longest = Math.max(4, ...field.choices.map((choice) => choice.label.length));
    return [Math.min(220, Math.ceil(longest * LETTER) + BADGE + 2 * CELL_PADDING), 0.8];
  }
  return WIDTHS[kindOf(field)] ?? OTHERS;
}
