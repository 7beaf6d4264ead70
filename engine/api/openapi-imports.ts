/** What imports say and are told, as schemas of the OpenAPI document. */
import type { Part } from './openapi-parts.ts';
import { exactly, listOf, mapOf, orNull, text, texts, uuid, whole, yesNo } from './openapi-parts.ts';

const COLUMN: Part = {
  anyOf: [
    text,
    { type: 'null' },
    exactly({ field: text, by: text, rule: { type: 'object', description: 'Repairs of the cells.' } }, ['by', 'rule']),
  ],
};

const SETTINGS: Readonly<Record<string, Part>> = {
  mapping: { ...mapOf(COLUMN), description: 'Column → field.' },
  upsertBy: { ...orNull(texts), description: 'Fields of a unique key: rows that agree with a record change it.' },
  dateOrder: { enum: ['dmy', 'mdy', null] },
  decimalMark: { enum: ['.', ',', null] },
  dryRun: yesNo,
  duplicates: { enum: ['report', null], description: 'Whether to tell rows whose record may be there already.' },
};

const ALIKE: Part = exactly({
  id: { ...orNull(uuid), description: 'null: of an earlier row of the file, in a dry run.' },
  title: orNull(text),
  rules: { ...texts, description: 'What speaks for it.' },
});

export const IMPORT_SCHEMAS: Readonly<Record<string, Part>> = {
  ImportSettings: exactly(SETTINGS, Object.keys(SETTINGS)),
  Upload: exactly({
    id: uuid,
    columns: texts,
    sample: { ...listOf(texts), description: 'The first rows.' },
    mapping: { ...mapOf(orNull(text)), description: 'What each column probably is.' },
    rows: whole,
    sheets: texts,
    sheet: orNull(text),
  }),
  Import: exactly({
    id: uuid,
    name: text,
    columns: texts,
    settings: { $ref: '#/components/schemas/ImportSettings' },
    state: { enum: ['uploaded', 'queued', 'running', 'done', 'failed'] },
    dryRun: yesNo,
    total: whole,
    processed: whole,
    created: whole,
    updated: whole,
    failed: whole,
    problem: { description: 'Why the run ended before its time; null otherwise.' },
    errors: {
      ...listOf(exactly({ line: whole, message: text })),
      description: 'The first twenty rows that failed.',
    },
    duplicates: {
      ...exactly({ count: whole, rows: listOf(exactly({ line: whole, message: text, records: listOf(ALIKE) })) }),
      description: 'Rows whose record may have been there already: how many, and the first twenty.',
    },
  }),
};
