/** The look: neutral greys, one accent, dense but calm. Mantine's theme; the few variables of our own are in `theme.css`. */
import { createTheme, type MantineColorsTuple } from '@mantine/core';

/** Shade 7 on white has a contrast of 7.6, shade 5 on the dark body 5.3 (WCAG AA asks 4.5). */
const accent: MantineColorsTuple = [
  '#eef1fc',
  '#dce2f8',
  '#bac6f1',
  '#96a8e9',
  '#8095e6',
  '#7389e4',
  '#4560d3',
  '#2f4bbd',
  '#273fa0',
  '#1f3380',
];
const gray: MantineColorsTuple = [
  '#f8f8f9',
  '#f1f1f3',
  '#e6e6ea',
  '#d9d9de',
  '#c3c4cb',
  '#9a9ca6',
  '#6b6e7a',
  '#4d505b',
  '#33353d',
  '#1d1e24',
];
const dark: MantineColorsTuple = [
  '#d6d7dc',
  '#b9bbc3',
  '#9a9ca6',
  '#6b6e7a',
  '#45474f',
  '#36383f',
  '#2a2b31',
  '#1e1f24',
  '#18191d',
  '#111215',
];

const LIST = { withScrollArea: false, styles: { options: { maxHeight: 240, overflowY: 'auto' } } } as const;

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 6 },
  colors: { accent, gray, dark },
  black: '#1d1e24',
  fontFamily:
    "Inter, 'Inter Variable', 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Arabic', 'Open Sans', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, monospace",
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '20px', lineHeight: '28px' },
      h2: { fontSize: '16px', lineHeight: '24px' },
      h3: { fontSize: '14px', lineHeight: '20px' },
      h4: { fontSize: '15px', lineHeight: '22px' },
    },
  },
  defaultRadius: 'md',
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '10px', xl: '14px' },
  shadows: { md: '0 1px 2px rgb(20 20 30 / 6%), 0 8px 24px rgb(20 20 30 / 10%)' },
  focusRing: 'auto',
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    Button: { defaultProps: { size: 'sm', fw: 500 } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Table: { defaultProps: { borderColor: 'var(--line)' } },
    Alert: { defaultProps: { p: 'sm' } },
    Text: { defaultProps: { size: 'md' } },
    Modal: {
      defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.35 }, transitionProps: { duration: 120 } },
      styles: { title: { fontSize: 16, fontWeight: 600 } },
    },
    Popover: { defaultProps: { shadow: 'md', transitionProps: { duration: 100 } } },
    Menu: { defaultProps: { shadow: 'md', transitionProps: { duration: 100 } } },
    Tooltip: { defaultProps: { openDelay: 400 } },
    InputWrapper: { styles: { label: { fontWeight: 400, color: 'var(--quiet)', marginBlockEnd: 3 } } },
    // Lists scroll in the listbox itself, which assistive technology knows how to reach.
    Select: { defaultProps: LIST },
    MultiSelect: { defaultProps: LIST },
    TagsInput: { defaultProps: LIST },
    Skeleton: { defaultProps: { radius: 'sm' } },
  },
});
