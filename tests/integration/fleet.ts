/** An organisation's own idea, as documents: vehicles with ten fields of different types, a role, a condition, a lifecycle. */
export const FLEET: readonly Record<string, unknown>[] = [
  {
    kind: 'entity',
    key: 'vehicle',
    plural: 'vehicles',
    label: 'Vehicle',
    pluralLabel: 'Vehicles',
    icon: 'truck',
    title: '{plate}',
    owner: true,
    softDelete: true,
    history: true,
    fields: [
      { key: 'plate', type: 'text', label: 'Plate', required: true, max: 20, unique: true, search: 'A' },
      {
        key: 'fuel',
        type: 'choice',
        label: 'Fuel',
        choices: [
          { key: 'diesel', label: 'Diesel' },
          { key: 'electric', label: 'Electric' },
        ],
      },
      { key: 'seats', type: 'integer', label: 'Seats', min: 1, max: 90 },
      { key: 'consumption', type: 'decimal', label: 'Consumption', scale: 1 },
      { key: 'price', type: 'money', label: 'Price' },
      { key: 'discount', type: 'percent', label: 'Discount' },
      { key: 'net', type: 'formula', label: 'Net price', returns: 'money', expr: 'price * (100 - discount) / 100' },
      { key: 'bought', type: 'date', label: 'Bought on' },
      { key: 'leased', type: 'boolean', label: 'Leased' },
      { key: 'account', type: 'reference', label: 'Customer', to: 'crm.account' },
      { key: 'status', type: 'state', label: 'Status', lifecycle: 'vehicle_status' },
    ],
  },
  {
    kind: 'lifecycle',
    key: 'vehicle_status',
    label: 'Vehicle status',
    initial: 'ordered',
    states: [
      { key: 'ordered', label: 'Ordered', color: 'gray' },
      { key: 'in_use', label: 'In use', color: 'green' },
      { key: 'sold', label: 'Sold', color: 'blue' },
    ],
    transitions: [
      { key: 'deliver', label: 'Deliver', from: ['ordered'], to: 'in_use', requires: ['bought'] },
      {
        key: 'sell',
        label: 'Sell',
        from: ['in_use'],
        to: 'sold',
        guard: { all: [{ fact: 'leased', operator: 'notEqual', value: true }] },
        guardMessage: 'A leased vehicle cannot be sold.',
      },
    ],
  },
  { kind: 'role', key: 'driver', label: 'Driver', inherits: ['member'] },
  {
    kind: 'permission',
    role: 'driver',
    entity: 'vehicle',
    actions: ['create', 'read', 'update'],
    fields: { read: { except: ['price', 'net'] }, update: { except: ['price', 'discount'] } },
    condition: {
      any: [
        { fact: 'owner', operator: 'equal', value: { fact: 'user', path: '$.id' } },
        { fact: 'fuel', operator: 'equal', value: 'electric' },
      ],
    },
  },
  {
    kind: 'menu',
    key: 'fleet',
    label: 'Fleet',
    icon: 'truck',
    order: 90,
    items: [{ key: 'vehicles', label: 'Vehicles', entity: 'vehicle' }],
  },
];

/** The same documents with one field changed or left out. */
export function withField(key: string, change: Record<string, unknown> | null): readonly Record<string, unknown>[] {
  return FLEET.map((document) => {
    if (document.kind !== 'entity' || !Array.isArray(document.fields)) return document;
    const fields: unknown[] = document.fields.flatMap((field: Record<string, unknown>) =>
      field.key !== key ? [field] : change === null ? [] : [{ ...field, ...change }],
    );
    return { ...document, fields };
  });
}
