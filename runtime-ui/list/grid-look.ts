/** AG Grid in the look of the rest: its colours are our variables, so that light and dark follow. */
import { themeQuartz } from 'ag-grid-community';

/** Pixels, at either side. */
export const CELL_PADDING = 12;

export const gridLook = themeQuartz.withParams({
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
  cellHorizontalPadding: CELL_PADDING,
  wrapperBorder: false,
  wrapperBorderRadius: 0,
  headerColumnResizeHandleColor: 'var(--line)',
  columnBorder: false,
  pinnedColumnBorder: { color: 'var(--line)' },
});
