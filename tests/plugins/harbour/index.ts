/** A plugin as somebody outside would write it: a field type, documents of its own, and a change to a pack's. */
import { definePlugin, type FieldType, type Parsed } from '#engine/plugins';

const WRITTEN = /^([A-Z]{3})-?(\d{1,3})$/;

function parse(text: string): Parsed {
  const [, place, number] = WRITTEN.exec(text.trim().toUpperCase()) ?? [];
  if (place === undefined || number === undefined)
    return { error: { code: 'berth', message: `“${text.slice(0, 20)}” is no berth such as OST-12.` } };
  return { value: `${place}-${number}` };
}

const berth: FieldType = {
  key: 'berth',
  options: { type: 'object', properties: {} },
  valueType: 'text',
  columns: (field) => [
    { name: field.key, type: 'text', checks: [{ suffix: 'form', sql: `{} ~ '^[A-Z]{3}-[0-9]{1,3}$'` }] },
  ],
  inputSchema: () => ({ type: 'string', maxLength: 10 }),
  outputSchema: () => ({ type: 'string' }),
  normalise: (value) => parse(String(value)),
  select: (column) => column,
  operators: ['eq', 'ne', 'in', 'nin', 'null', 'starts'],
  sortable: true,
  groupable: true,
  aggregates: [],
  searchable: true,
  widget: () => 'text',
  importCell: parse,
  exportCell: (value) => String(value),
};

export default definePlugin({
  key: 'harbour',
  version: '1.0.0',
  label: 'Harbour',
  requires: ['yard'],
  metadata: new URL('./metadata/', import.meta.url),
  fieldTypes: [berth],
});
