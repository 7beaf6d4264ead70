/**
 * Tours, the places they lead to, their stops and their bookings: every way in which records can hang together. Guides
 * see their own tours and bookings, and no secret place.
 */
type Document = Readonly<Record<string, unknown>>;

const self = { all: [{ fact: 'owner', operator: 'equal', value: { fact: 'user', path: '$.id' } }] };
const open = { all: [{ fact: 'secret', operator: 'equal', value: false }] };
const label = (key: string) => key.charAt(0).toUpperCase() + key.slice(1);
const entity = (key: string, fields: readonly Document[], more: Document = {}): Document => ({
  kind: 'entity',
  key,
  plural: `${key}s`,
  label: label(key),
  title: '{name}',
  fields,
  ...more,
});
const may = (entity: string, actions: readonly string[], more: Document = {}, role = 'guide'): Document => ({
  kind: 'permission',
  role,
  entity,
  actions,
  ...more,
});

const name = { key: 'name', type: 'text', required: true };

export const PLACE = entity(
  'place',
  [
    name,
    { key: 'secret', type: 'boolean', default: false, required: true },
    { key: 'city', type: 'text', index: true },
    { key: 'cost', type: 'money' },
    { key: 'rating', type: 'integer' },
  ],
  { softDelete: true, history: true },
);

export const TOUR = entity(
  'tour',
  [
    name,
    { key: 'start', type: 'reference', to: 'place', onDelete: 'clear' },
    { key: 'places', type: 'links', to: 'place', inverse: 'tours' },
    { key: 'stops', type: 'children', of: 'stop' },
    { key: 'regarding', type: 'any_reference', to: ['place', 'booking'], onDelete: 'clear', inverse: 'mentions' },
    { key: 'city', type: 'lookup', via: 'start', field: 'city' },
    { key: 'start_cost', type: 'lookup', via: 'start', field: 'cost' },
    { key: 'stop_count', type: 'rollup', of: 'stops', fn: 'count' },
    { key: 'fees', type: 'rollup', of: 'stops', fn: 'sum', field: 'fee', index: true },
    { key: 'walking', type: 'rollup', of: 'stops', fn: 'sum', field: 'minutes', where: { kind: 'walk' } },
    { key: 'longest', type: 'rollup', of: 'stops', fn: 'max', field: 'minutes' },
    { key: 'hours', type: 'formula', returns: 'decimal', expr: 'walking / 60' },
    { key: 'place_count', type: 'rollup', of: 'places', fn: 'count' },
    { key: 'place_cost', type: 'rollup', of: 'places', fn: 'sum', field: 'cost' },
    { key: 'seats', type: 'rollup', of: 'custom.booking.tour', fn: 'sum', field: 'seats' },
    { key: 'paid', type: 'rollup', of: 'bookings', fn: 'sum', field: 'paid', where: { seats: { gt: 1 } } },
  ],
  { owner: true, softDelete: true, history: true },
);

export const STOP = entity(
  'stop',
  [
    { key: 'tour', type: 'reference', to: 'tour', required: true },
    name,
    { key: 'minutes', type: 'integer' },
    { key: 'fee', type: 'money' },
    { key: 'kind', type: 'choice', choices: [{ key: 'walk' }, { key: 'meal' }] },
  ],
  { parent: 'tour' },
);

export const BOOKING = entity(
  'booking',
  [
    name,
    { key: 'tour', type: 'reference', to: 'tour', inverse: 'bookings', onDelete: 'restrict' },
    { key: 'paid', type: 'money' },
    { key: 'seats', type: 'integer' },
  ],
  { owner: true, softDelete: true, history: true },
);

export const TOURS: readonly Document[] = [
  PLACE,
  TOUR,
  STOP,
  BOOKING,
  { kind: 'role', key: 'guide', label: 'Guide' },
  may('tour', ['create', 'read', 'update', 'delete'], { condition: self }),
  may('place', ['read', 'update'], { condition: open }),
  may('booking', ['create', 'read', 'update'], { condition: self }),
];

/** Reads all tours without what hangs on them, and of bookings nothing but their names. */
export const CLERK: readonly Document[] = [
  { kind: 'role', key: 'clerk', label: 'Clerk' },
  may('tour', ['read'], { fields: { read: { except: ['places', 'stops', 'start', 'regarding'] } } }, 'clerk'),
  may('place', ['read'], { fields: { read: { except: ['tours'] } } }, 'clerk'),
  may('booking', ['read'], { fields: { read: { only: ['name'] } } }, 'clerk'),
];

/** Links the places of their own tours and changes nothing else of them; renames those of others. */
export const PLANNER: readonly Document[] = [
  { kind: 'role', key: 'planner', label: 'Planner' },
  may('tour', ['create', 'read'], {}, 'planner'),
  may('tour', ['update'], { key: 'own', fields: { update: { only: ['places'] } }, condition: self }, 'planner'),
  may(
    'tour',
    ['update'],
    { key: 'others', fields: { update: { only: ['name'] } }, condition: { not: self } },
    'planner',
  ),
  may('place', ['read'], {}, 'planner'),
];

/** The documents with some fields of one of them put in the place of those it has. */
export function withFields(
  key: string,
  change: (fields: readonly Document[]) => readonly Document[],
): readonly Document[] {
  return TOURS.map((document) => {
    const { fields } = document;
    return document['key'] === key && Array.isArray(fields) ? { ...document, fields: change(fields) } : document;
  });
}
