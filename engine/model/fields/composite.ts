/**
 * Types made of parts: an address, a person's name, a place on the map. The parts are companion fields; the field itself
 * is their text, computed by the database, for titles, lists, filters, sorting and search (ADR 0012).
 */
import type { Companion, FieldType } from '../field-type.ts';
import { options, refuse, TEXTUAL } from './base.ts';

const computed = () => refuse('read_only', 'This is computed from its parts.');

export interface Composite {
  readonly key: string;
  readonly parts: readonly Companion[];
  /** SQL of the text, with `{_suffix}` for the parts' columns. */
  readonly text: string;
  readonly widget: string;
  readonly sortable?: boolean;
  readonly checks?: readonly { readonly suffix: string; readonly sql: string }[];
}

export function composite({ key, parts, text, widget, sortable = true, checks = [] }: Composite): FieldType {
  return {
    key,
    companions: parts,
    readOnly: true,
    computed: true,
    options: options({}),
    valueType: 'text',
    columns: (field) => [{ name: field.key, type: 'text', generated: text, checks }],
    inputSchema: () => null,
    outputSchema: () => ({ type: 'string', readOnly: true }),
    normalise: computed,
    select: (column) => column,
    operators: TEXTUAL,
    sortable,
    groupable: false,
    aggregates: [],
    searchable: true,
    widget: () => widget,
    importCell: computed,
    exportCell: (value) => String(value),
  };
}

/** The parts that are there, a separator between them: `a, b`, `a` or `b`. NULL when there is none. */
export function joined(suffixes: readonly string[], separator: string): string {
  // `concat_ws` is not immutable. The separator is put before each part, and the first one's is taken off.
  const all = suffixes.map((suffix) => `coalesce('${separator}' || {${suffix}}, '')`);
  return `nullif(substr(${all.join(' || ')}, ${separator.length + 1}), '')`;
}
