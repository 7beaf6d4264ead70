/** A small model for the unit tests of the screens. */
import type { UiEntity, UiField, UiModel } from '../../engine/api/ui-model.ts';

export function field(key: string, rest: Partial<UiField> = {}): UiField {
  return {
    key,
    label: key,
    help: null,
    type: 'text',
    widget: 'text',
    valueType: 'text',
    required: false,
    system: false,
    onCreate: true,
    onUpdate: true,
    sortable: true,
    groupable: false,
    operators: ['eq', 'in', 'null'],
    default: null,
    schema: { type: 'string', minLength: 1, maxLength: 200 },
    choices: null,
    reference: null,
    children: null,
    list: null,
    targets: null,
    currencyField: null,
    companions: [],
    companionOf: null,
    scale: null,
    grouping: true,
    ...rest,
  };
}

const base = {
  icon: null,
  child: false,
  can: {
    create: true,
    update: true,
    delete: true,
    import: true,
    export: true,
    assign: true,
    share: true,
    merge: true,
    purge: true,
  },
  duplicates: false,
  bin: true,
  views: [],
  form: [],
  transitions: [],
  uniqueKeys: [],
} as const;

export const line: UiEntity = {
  ...base,
  name: 'crm.opportunity_line',
  url: '/api/crm/v1/opportunity_lines',
  path: 'crm/opportunity_lines',
  label: 'Line',
  pluralLabel: 'Lines',
  title: '{product}',
  child: true,
  fields: [
    field('opportunity', { reference: 'crm.opportunity', valueType: 'uuid', type: 'reference' }),
    field('product', { required: true }),
    field('quantity', { type: 'integer', valueType: 'integer', schema: { type: 'integer', minimum: 1 } }),
    field('total', { type: 'formula', valueType: 'decimal', schema: null, onCreate: false, onUpdate: false }),
  ],
};

export const entity: UiEntity = {
  ...base,
  name: 'crm.opportunity',
  url: '/api/crm/v1/opportunities',
  path: 'crm/opportunities',
  label: 'Opportunity',
  pluralLabel: 'Opportunities',
  title: '{name}',
  fields: [
    field('name', { required: true }),
    field('account', {
      type: 'reference',
      valueType: 'uuid',
      reference: 'crm.account',
      schema: { type: 'string', format: 'uuid' },
    }),
    field('stage', {
      type: 'state',
      schema: null,
      onCreate: false,
      onUpdate: false,
      choices: [{ key: 'won', label: 'Won', color: 'green' }],
    }),
    field('amount', {
      type: 'money',
      valueType: 'decimal',
      currencyField: 'amount_currency',
      companions: ['amount_currency'],
      schema: { type: 'string', pattern: '^-?\\d+(\\.\\d{1,2})?$' },
    }),
    field('amount_currency', {
      type: 'currency',
      companionOf: 'amount',
      default: 'AED',
      schema: { type: 'string', pattern: '^[A-Z]{3}$' },
    }),
    field('email', { type: 'email', schema: { type: 'string', format: 'email' } }),
    field('lines', {
      type: 'children',
      valueType: null,
      children: { entity: 'crm.opportunity_line', field: 'opportunity' },
      schema: null,
    }),
  ],
  form: [{ key: 'main', label: 'Main', columns: 2, fields: ['name', 'account', 'stage', 'amount', 'lines'] }],
};

export const model: UiModel = {
  tenant: { key: 'acme', name: 'Acme', currency: 'AED', timeZone: 'Asia/Dubai' },
  release: 1,
  user: { id: 'u1', name: 'Sara', email: 'sara@acme.test', roles: [], administrator: false },
  locale: 'en',
  direction: 'ltr',
  locales: [],
  menus: [],
  entities: { [entity.name]: entity, [line.name]: line },
};
