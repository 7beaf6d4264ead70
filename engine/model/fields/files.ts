/** What fields that hold a file share: the id of an uploaded file, answered with its name, type and size. */
import type { FieldType } from '../field-type.ts';
import { options, refuse, wrongType } from './base.ts';
import { parseUuid } from './types/reference.ts';

/** Pictures: none of them can hold a script. */
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;

export function fileType(key: 'file' | 'image'): FieldType {
  return {
    key,
    attached: key,
    keyed: false,
    options: options({}),
    valueType: 'uuid',
    columns: (field) => [{ name: field.key, type: 'uuid' }],
    inputSchema: () => ({ type: 'string', maxLength: 36, description: 'Id of a file that was uploaded before.' }),
    outputSchema: () => ({
      type: 'object',
      required: ['id', 'name', 'type', 'size'],
      properties: {
        id: { type: 'string' },
        name: { type: 'string' },
        type: { type: 'string', description: 'Media type, recognised by the content.' },
        size: { type: 'integer', description: 'Bytes.' },
      },
    }),
    normalise: (value) => (typeof value === 'string' ? parseUuid(value) : wrongType('the id of an uploaded file')),
    // Nobody may read the table of files: who knows the id has read the record, and gets what belongs to it.
    select: (column) => `armature.file_of(${column})`,
    operators: ['null'],
    sortable: false,
    groupable: false,
    aggregates: [],
    searchable: false,
    widget: () => key,
    importCell: () => refuse('file', 'A file cannot come in a cell.'),
    exportCell: (value) => String(value),
  };
}
