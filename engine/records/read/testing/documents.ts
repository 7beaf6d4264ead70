/** A small trade: customers, deals with lines, products. Every type of field occurs. */
import type { SourceDocument } from '../../../model/documents.ts';

const documents: readonly unknown[] = [
  {
    kind: 'entity',
    key: 'customer',
    plural: 'customers',
    label: 'Customer',
    title: '{name}',
    owner: true,
    softDelete: true,
    fields: [
      { key: 'name', type: 'text', label: 'Name', required: true, search: 'A' },
      { key: 'country', type: 'text', label: 'Country' },
      { key: 'credit', type: 'money', label: 'Credit' },
      { key: 'secret', type: 'text', label: 'Secret' },
    ],
  },
  {
    kind: 'entity',
    key: 'product',
    plural: 'products',
    label: 'Product',
    title: '{name}',
    fields: [
      { key: 'name', type: 'text', label: 'Name', required: true },
      { key: 'price', type: 'money', label: 'Price' },
    ],
  },
  {
    kind: 'lifecycle',
    key: 'stage',
    label: 'Stage',
    initial: 'open',
    states: [{ key: 'open' }, { key: 'won', category: 'won' }, { key: 'lost', category: 'lost' }],
    transitions: [
      { key: 'win', from: ['open'], to: 'won', guard: { fact: 'amount', operator: 'greaterThan', value: '0' }, sets: { closed_on: { today: true } } },
      { key: 'lose', from: ['open'], to: 'lost', requires: ['note'], guard: { fact: 'note', operator: 'isNull', value: false } },
      { key: 'reopen', from: ['won', 'lost'], to: 'open' },
    ],
  },
  {
    kind: 'entity',
    key: 'deal',
    plural: 'deals',
    label: 'Deal',
    title: '{number} {name}',
    owner: true,
    softDelete: true,
    history: true,
    fields: [
      { key: 'number', type: 'sequence', label: 'Number', prefix: 'D-', digits: 4 },
      { key: 'name', type: 'text', label: 'Name', required: true, search: 'A' },
      { key: 'note', type: 'long_text', label: 'Note' },
      { key: 'email', type: 'email', label: 'E-mail' },
      { key: 'phone', type: 'phone', label: 'Phone' },
      { key: 'url', type: 'url', label: 'Web' },
      { key: 'rank', type: 'integer', label: 'Rank' },
      { key: 'weight', type: 'decimal', label: 'Weight', scale: 3 },
      { key: 'amount', type: 'money', label: 'Amount' },
      { key: 'chance', type: 'percent', label: 'Chance' },
      { key: 'hot', type: 'boolean', label: 'Hot' },
      { key: 'closed_on', type: 'date', label: 'Closed on' },
      { key: 'seen_at', type: 'datetime', label: 'Seen at' },
      { key: 'priority', type: 'choice', label: 'Priority', choices: [{ key: 'high', label: 'High' }, { key: 'low', label: 'Low' }] },
      { key: 'stage', type: 'state', label: 'Stage', lifecycle: 'stage' },
      { key: 'customer', type: 'reference', label: 'Customer', to: 'customer' },
      { key: 'helper', type: 'user', label: 'Helper' },
      { key: 'tags', type: 'tags', label: 'Tags' },
      { key: 'margin', type: 'money', label: 'Margin' },
      { key: 'lines', type: 'children', label: 'Lines', of: 'line' },
    ],
  },
  {
    kind: 'entity',
    key: 'line',
    plural: 'lines',
    label: 'Line',
    title: '{product} {quantity}',
    parent: 'deal',
    fields: [
      { key: 'deal', type: 'reference', label: 'Deal', to: 'deal', required: true, onDelete: 'cascade' },
      { key: 'product', type: 'reference', label: 'Product', to: 'product' },
      { key: 'quantity', type: 'integer', label: 'Quantity' },
    ],
  },
  { kind: 'role', key: 'boss', label: 'Boss' },
  { kind: 'role', key: 'rep', label: 'Representative' },
  { kind: 'role', key: 'clerk', label: 'Clerk' },
  ...['customer', 'product', 'deal'].map((entity) => ({ kind: 'permission', role: 'boss', entity, actions: ['create', 'read', 'update', 'delete'] })),
  { kind: 'permission', role: 'boss', entity: 'core.user', actions: ['read'] },
  // A representative sees every deal, the margin of their own ones alone, and may only move their own on.
  { kind: 'permission', role: 'rep', entity: 'deal', actions: ['read'], fields: { read: { except: ['margin', 'note'] } } },
  { kind: 'permission', role: 'rep', key: 'own', entity: 'deal', actions: ['read', 'update'], fields: { read: { except: ['note'] } }, conditions: { owner: 'self' } },
  // Customers: their own, without the secret; the credit limit nowhere but in Germany.
  { kind: 'permission', role: 'rep', entity: 'customer', actions: ['read'], fields: { read: { except: ['secret', 'credit', 'credit_currency'] } }, conditions: { owner: 'self' } },
  { kind: 'permission', role: 'rep', key: 'german', entity: 'customer', actions: ['read'], fields: { read: { except: ['secret'] } }, condition: { country: 'DE' } },
  { kind: 'permission', role: 'rep', entity: 'product', actions: ['read'] },
  // A clerk sees deals of German customers only, and nothing else.
  { kind: 'permission', role: 'clerk', entity: 'deal', actions: ['read'], fields: { read: { only: ['name', 'customer', 'stage', 'lines'] } }, condition: { customer: { country: 'DE' } } },
  { kind: 'permission', role: 'clerk', entity: 'customer', actions: ['read'], fields: { read: { only: ['name'] } } },
  { kind: 'view', key: 'open_deals', label: 'Open deals', entity: 'deal', columns: ['name'], order: ['-amount'], filter: { stage: 'open' } },
  { kind: 'view', key: 'with_margin', label: 'With margin', entity: 'deal', columns: ['name'], order: ['margin'], filter: { margin: { null: false } } },
];

export const tradePack = {
  key: 'trade',
  version: '1.0.0',
  documents: [{ kind: 'pack', key: 'trade', version: '1.0.0', label: 'Trade' }, ...documents].map(
    (document): SourceDocument => ({ document, source: 'trade', pack: 'trade' }),
  ),
};
