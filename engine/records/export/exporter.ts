/**
 * Exports: the same query as a list, planned by the same planner with the same rights, without a page. Rows come from
 * Postgres no faster than they are read, and nothing is kept.
 */
import type { Readable } from 'node:stream';
import type { Clock } from '#engine/clock.ts';
import type { Database } from '#engine/db/database.ts';
import { sessionOf } from '#engine/db/database.ts';
import { problemOf } from '#engine/db/database-error.ts';
import type { Entity } from '#engine/model/model.ts';
import { choiceLabels, textKey, translator } from '#engine/model/texts.ts';
import { notFound, Problem } from '#engine/problem.ts';
import { BYTE_ORDER_MARK, csvLine, guardFormula } from '../csv-text.ts';
import type { Query } from '../query/query.ts';
import type { SelectPlan } from '../read/plan.ts';
import { planQuery } from '../read/plan.ts';
import { accessOf } from '../read/shapes.ts';
import type { Scope } from '../scope.ts';
import { hasSealed, opened } from '../sealed.ts';
import { csvOf } from './csv-export.ts';
import { exportColumns, type Names } from './export-columns.ts';
import { exportSql } from './export-sql.ts';
import { openedLines, readRecords, through } from './rows.ts';
import { xlsxOf } from './xlsx-export.ts';

export const EXPORT_FORMATS = ['ndjson', 'csv', 'xlsx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportOptions {
  readonly format: ExportFormat;
  /** What stands in the first line and for choices: keys, or what people call them. */
  readonly header: 'keys' | 'labels';
  /** A byte order mark before CSV, by which older spreadsheets know UTF-8. */
  readonly mark: boolean;
}

/** Exports of one organisation at a time: the others need connections as well. */
const TOGETHER = 2;

export class Exporter {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #running = new Map<string, number>();

  constructor({ database, clock }: { readonly database: Database; readonly clock: Clock }) {
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * Whether the query can be exported.
   * @throws Problem `not_found`, `forbidden` without the right to export what is selected, `unknown_field`,
   *   `invalid_parameter`
   */
  check(scope: Scope, entity: Entity, query: Query, options: ExportOptions): void {
    plan(scope, entity, query, options, this.#clock.now());
  }

  /**
   * @returns the file's bytes. Its error is a Problem; destroying it cancels the query
   * @throws Problem as {@link check}, and `too_many_requests`
   */
  async open(scope: Scope, entity: Entity, query: Query, options: ExportOptions): Promise<Readable> {
    const { sql, columns, headers } = plan(scope, entity, query, options, this.#clock.now());
    const tenant = scope.tenant.key;
    const running = this.#running.get(tenant) ?? 0;
    if (running >= TOGETHER) {
      throw new Problem('too_many_requests', 'Your organisation is exporting already. Wait until that has ended.', [
        { code: 'too_many_requests', message: 'Wait until another export has ended.', params: { retryAfter: 10 } },
      ]);
    }
    this.#running.set(tenant, running + 1);
    const leave = () => {
      const left = (this.#running.get(tenant) ?? 1) - 1;
      if (left > 0) this.#running.set(tenant, left);
      else this.#running.delete(tenant);
    };
    let rows: Readable;
    try {
      rows = await this.#database.copy(sessionOf(scope.principal), sql);
    } catch (error) {
      leave();
      throw problemOf(error);
    }
    rows.once('close', leave);
    const openLine = (line: string) => opened(scope, line);
    if (options.format === 'ndjson')
      return hasSealed(scope.model) ? through(rows, (source) => openedLines(source, openLine)) : rows;
    const records = (source: AsyncIterable<Buffer>) => readRecords(source, openLine);
    if (options.format === 'csv') {
      const header = `${options.mark ? BYTE_ORDER_MARK : ''}${csvLine(headers.map(guardFormula))}`;
      return through(rows, (source) => csvOf(records(source), columns, header));
    }
    const { timeZone } = scope.principal;
    return through(rows, (source) => xlsxOf(records(source), columns, { headers, timeZone }));
  }
}

function plan(scope: Scope, entity: Entity, query: Query, { format, header }: ExportOptions, now: number) {
  const planned = planQuery(query, entity, accessOf(scope), scope);
  if (planned.kind === 'summary')
    throw new Problem('invalid_parameter', 'Groups are not exported. Ask for them as a list.');
  requireExport(scope, planned.select);
  const columns = format === 'ndjson' ? [] : exportColumns(planned.select, namesFor(scope, header));
  const headers = columns.map(({ key, label }) => (header === 'labels' ? label : key));
  return { sql: exportSql(scope, query, planned, now), columns, headers };
}

/** With labels a file says what its reader calls things, choices too; with keys it says what the API does. */
function namesFor(scope: Scope, header: ExportOptions['header']): Names {
  const translate = translator(scope.model, scope.principal.locale);
  return {
    label: (field, entity) =>
      field === null
        ? translate(textKey.entity(entity.name), entity.label)
        : translate(textKey.field(entity, field), field.label),
    choices: (entity) => (header === 'labels' ? choiceLabels(translate, entity) : null),
  };
}

/** Whoever may not export an entity does not get its records through another one; their names they do. */
function requireExport(scope: Scope, { entity, items }: SelectPlan): void {
  const rights = scope.rights.of(entity.name);
  if (!rights.export) {
    if (rights.read.length === 0) throw notFound();
    throw new Problem('forbidden', `You may not export records of “${entity.label}”.`);
  }
  for (const item of items) {
    if (item.kind === 'many') requireExport(scope, item.of);
    if (item.kind === 'reference' && !item.target.items.every(isName)) requireExport(scope, item.target);
  }
}

function isName(item: SelectPlan['items'][number]): boolean {
  return item.kind === 'title' || (item.kind === 'field' && item.field.key === 'id' && item.field.system);
}
