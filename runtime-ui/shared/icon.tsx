/** The icons of the screens and of entities: strokes on a 24-unit grid, drawn in the colour of the text. */

const PATHS = {
  alert:
    'M12 8v5m0 3.2v.1M10.3 4.2 2.8 17.5A2 2 0 0 0 4.500 20.500h15a2 2 0 0 0 1.700-3L13.700 4.200a2 2 0 0 0-3.400 0Z',
  back: 'M19 12H5m6-6-6 6 6 6',
  book: 'M5 4.500A1.500 1.500 0 0 1 6.500 3H19v15H6.500A1.500 1.500 0 0 0 5 19.500m0-15v15A1.500 1.500 0 0 0 6.500 21H19v-3',
  box: 'M12 3 4 7.200v9.600L12 21l8-4.200V7.200L12 3Zm0 9 8-4.700M12 12v9m0-9L4 7.300',
  briefcase: 'M4 8h16v11H4V8Zm5 0V5.500A1.500 1.500 0 0 1 10.500 4h3A1.500 1.500 0 0 1 15 5.500V8M4 13h16',
  building: 'M5 21V4h9v17M14 9h5v12M3 21h18M8 8h3m-3 4h3m-3 4h3',
  calendar: 'M4 6h16v14H4V6Zm0 4.500h16M8 3.500V8m8-4.500V8',
  card: 'M3 6h18v12H3V6Zm0 4h18M7 15h3',
  cart: 'M3 4h2.500l2.300 11h10.400L20 8H6.500M9.500 19.500v.1m7-.1v.1',
  chart: 'M4 20h16M7 16v-5m5 5V6m5 10v-8',
  check: 'm5 12.500 4.500 4.500L19 7.500',
  task: 'M4 4h16v16H4V4Zm4 8.300 2.800 2.700L16 9.500',
  chevron: 'm9 6 6 6-6 6',
  clock: 'M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17ZM12 8v4.200l3 1.800',
  close: 'M6 6l12 12M18 6 6 18',
  dots: 'M5.500 12h.1m6.400 0h.1m6.400 0h.1',
  download: 'M12 4v11m-4.500-4.500L12 15l4.500-4.500M5 20h14',
  edit: 'M4 20h4L19 9l-4-4L4 16v4Zm9-13 4 4',
  file: 'M6 3h8l4 4v14H6V3Zm8 0v4h4M9 12h6m-6 4h6',
  filter: 'M4 6h16M7 12h10m-7 6h4',
  flag: 'M6 21V4h11l-2 4 2 4H6',
  funnel: 'M4 5h16l-6.200 7.500V19l-3.600-2v-4.500L4 5Z',
  globe:
    'M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17Zm0 0c-2.500 2.500-3.500 5-3.500 8.500s1 6 3.500 8.500c2.500-2.500 3.500-5 3.500-8.500s-1-6-3.500-8.500ZM3.500 12h17',
  home: 'M4 11 12 4l8 7v9H4v-9Zm6 9v-5h4v5',
  inbox: 'M4 13 6.500 5h11L20 13v6H4v-6Zm0 0h5l1 2.500h4L15 13h5',
  link: 'M10 14a4 4 0 0 0 5.700 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1',
  list: 'M9 6h11M9 12h11M9 18h11M4.500 6h.1m-.1 6h.1m-.1 6h.1',
  mail: 'M3 6h18v12H3V6Zm0 1 9 6.500L21 7',
  note: 'M5 4h14v10l-5 6H5V4Zm14 10h-5v6M8.500 8.500h7m-7 4h4',
  phone:
    'M5 4h4l1.500 5-2.300 1.700a12 12 0 0 0 5.100 5.100L15 13.500l5 1.500v4a1 1 0 0 1-1 1A15 15 0 0 1 4 5a1 1 0 0 1 1-1Z',
  plus: 'M12 5v14M5 12h14',
  receipt: 'M6 3h12v18l-3-2-3 2-3-2-3 2V3Zm3 5h6m-6 4h6',
  search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13Zm4.800 11.300L20 20',
  settings:
    'M4 7h9m5 0h2M4 17h2m5 0h9M15.500 4.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5Zm-7 10a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5Z',
  shield: 'M12 3 5 6v5.500c0 4.300 2.800 7.500 7 9.500 4.200-2 7-5.200 7-9.500V6l-7-3Z',
  signout: 'M10 4H5v16h5M15 8l4 4-4 4m4-4H9.500',
  star: 'm12 3.500 2.600 5.400 5.900.8-4.300 4.100 1.100 5.900L12 16.900l-5.300 2.800 1.100-5.900L3.500 9.700l5.900-.8L12 3.500Z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-5v2m0 14v2M3 12h2m14 0h2M5.600 5.600 7 7m10 10 1.400 1.400m0-12.800L17 7M7 17l-1.400 1.400',
  tag: 'M4 4h7.500L20 12.500 12.500 20 4 11.500V4Zm4 4v.1',
  target: 'M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17Zm0 4.500a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0 3.900v.2',
  trash: 'M5 7h14M10 4h4M7 7l1 13h8l1-13m-7 4v5.500m4-5.500v5.500',
  truck: 'M3 6h11v11H3V6Zm11 4h4l3 3.500V17h-7v-7ZM7 17a2 2 0 1 0 0 .1m10-.1a2 2 0 1 0 0 .1',
  undo: 'M8 5 4 9l4 4M4 9h10a5.500 5.500 0 0 1 0 11H9',
  upload: 'M12 15V4M7.500 8.500 12 4l4.500 4.500M5 20h14',
  user: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.500 20.500c.6-3.600 3.500-5.500 7.500-5.500s6.900 1.900 7.500 5.500',
  users:
    'M9 5a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7ZM2.500 19.500C3 16.500 5.500 15 9 15s6 1.500 6.500 4.500M15.500 5.300a3.500 3.500 0 0 1 0 6.400M18 15.300c2 .6 3.200 2 3.500 4.200',
} as const;

export type IconName = keyof typeof PATHS;

/** Other names of the same pictures, as documents may spell them. */
const ALIASES: Readonly<Record<string, IconName>> = {
  account: 'building',
  company: 'building',
  organisation: 'building',
  organization: 'building',
  contact: 'user',
  person: 'user',
  people: 'users',
  team: 'users',
  opportunity: 'target',
  deal: 'target',
  lead: 'flag',
  task: 'task',
  'check-square': 'task',
  activity: 'clock',
  invoice: 'receipt',
  'file-text': 'file',
  document: 'file',
  quote: 'file',
  product: 'box',
  package: 'box',
  boxes: 'box',
  'shopping-cart': 'cart',
  order: 'cart',
  'credit-card': 'card',
  payment: 'card',
  'bar-chart': 'chart',
  report: 'chart',
  'book-open': 'book',
  ledger: 'book',
  journal: 'book',
  delivery: 'truck',
  warehouse: 'home',
  bell: 'inbox',
  ticket: 'tag',
  case: 'inbox',
  event: 'calendar',
  meeting: 'calendar',
  call: 'phone',
  email: 'mail',
  layers: 'list',
  // Three bars are the filter of a list.
  filter: 'funnel',
};

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.75}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
      data-icon={name}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The picture of an entity, or its initial when the document names one we do not have. */
export function EntityIcon({
  name,
  label,
  size = 16,
}: {
  readonly name: string | null;
  readonly label: string;
  readonly size?: number;
}) {
  const known = name ? (ALIASES[name] ?? (isIcon(name) ? name : undefined)) : undefined;
  if (known) return <Icon name={known} size={size} />;
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <text x="12" y="17.500" textAnchor="middle" fontSize="16" fontWeight="600" fill="currentColor">
        {label.slice(0, 1).toUpperCase()}
      </text>
    </svg>
  );
}

function isIcon(name: string): name is IconName {
  return name in PATHS;
}
