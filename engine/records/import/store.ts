/** The import's own rows in the database: read and written as the user whose import it is, who sees no other's. */
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import { notFound } from '#engine/problem.ts';
import { recordId } from '../record-id.ts';
import type { Scope } from '../scope.ts';
import { isObject } from '../write/validate.ts';
import type { Alike, Outcome } from './chunk.ts';
import type { Cell, FileRow } from './csv.ts';
import { plainNumber } from './xlsx/styles.ts';
import type { ColumnMapping, ImportSettings } from './mapping.ts';

export type State = 'uploaded' | 'queued' | 'running' | 'done' | 'failed';

/** How far a run has come: rows by their outcome. */
export interface Progress {
  /** Every line up to this one has its outcome. */
  readonly position: number;
  readonly processed: number;
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
}

export const NOT_BEGUN: Progress = { position: 0, processed: 0, created: 0, updated: 0, failed: 0 };

export interface StoredImport extends Progress {
  readonly id: string;
  readonly entity: string;
  readonly name: string;
  readonly columns: readonly string[];
  readonly settings: ImportSettings;
  readonly state: State;
  readonly total: number;
  readonly problem: unknown;
}

const which = (scope: Scope, id: string): string[] => [scope.tenant.id, recordId(id)];

export function insertImport(
  scope: Scope,
  made: {
    id: string;
    entity: string;
    name: string;
    columns: readonly string[];
    settings: ImportSettings;
    total: number;
  },
): Statement {
  const { dryRun, ...options } = made.settings;
  return {
    text: `insert into armature.import (tenant_id, id, created_by, created_at, entity, file_name, columns, options, state, dry_run, total)
values ($1::uuid, $2::uuid, $3::uuid, armature.now(), $4::text, $5::text, $6::jsonb, $7::jsonb, 'uploaded', $8::boolean, $9::integer)`,
    values: [
      scope.tenant.id,
      made.id,
      scope.principal.userId,
      made.entity,
      made.name.slice(0, 255),
      JSON.stringify(made.columns),
      JSON.stringify(options),
      String(dryRun),
      String(made.total),
    ],
  };
}

/** Some rows of the file together. @param json a JSON array of `{line, cells}` */
export function insertRows(scope: Scope, id: string, piece: { first: number; last: number; json: string }): Statement {
  return {
    text: `insert into armature.import_chunk (tenant_id, import_id, first_line, last_line, rows) values ($1::uuid, $2::uuid, $3::integer, $4::integer, $5::json)`,
    values: [scope.tenant.id, id, String(piece.first), String(piece.last), piece.json],
  };
}

/** @param lock keeps other workers away until the transaction ends */
export function selectImport(scope: Scope, id: string, lock = false): Statement {
  return {
    text: `select i.id, i.entity, i.file_name, i.columns, i.options, i.dry_run, i.state, i.total, i.processed, i.created, i.updated, i.failed, i.problem, i.position::text
from armature.import i where i.tenant_id = $1::uuid and i.id = $2::uuid${lock ? ' for update' : ''}`,
    values: which(scope, id),
  };
}

/** @throws Problem `not_found` when there is no such import, or it is of another entity */
export function readImport(result: StatementResult | undefined, entity?: string): StoredImport {
  const row = result?.rows[0];
  if (!row || (entity !== undefined && row[1] !== entity)) throw notFound();
  const [
    id,
    name,
    file,
    columns,
    options,
    dryRun,
    state,
    total,
    processed,
    created,
    updated,
    failed,
    problem,
    position,
  ] = row;
  return {
    id: id ?? '',
    entity: name ?? '',
    name: file ?? '',
    columns: readList(columns),
    settings: { ...readOptions(options), dryRun: dryRun === 't' },
    state: stateOf(state),
    total: Number(total),
    position: Number(position),
    processed: Number(processed),
    created: Number(created),
    updated: Number(updated),
    failed: Number(failed),
    problem: problem == null ? null : JSON.parse(problem),
  };
}

function stateOf(text: string | null | undefined): State {
  return text === 'queued' || text === 'running' || text === 'done' || text === 'failed' ? text : 'uploaded';
}

function readList(json: string | null | undefined): readonly string[] {
  const list: unknown = JSON.parse(json ?? '[]');
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === 'string') : [];
}

/** The settings were checked when they were stored. */
function readOptions(json: string | null | undefined): Omit<ImportSettings, 'dryRun'> {
  const options: unknown = JSON.parse(json ?? '{}');
  if (!isObject(options)) return { mapping: {}, upsertBy: null, dateOrder: null, decimalMark: null, duplicates: null };
  const mapping = isObject(options['mapping']) ? (options['mapping'] as Record<string, ColumnMapping>) : {};
  const key: unknown = options['upsertBy'];
  return {
    mapping,
    upsertBy: Array.isArray(key) ? key.filter((item): item is string => typeof item === 'string') : null,
    dateOrder: options['dateOrder'] === 'dmy' || options['dateOrder'] === 'mdy' ? options['dateOrder'] : null,
    decimalMark: options['decimalMark'] === '.' || options['decimalMark'] === ',' ? options['decimalMark'] : null,
    duplicates: options['duplicates'] === 'report' ? 'report' : null,
  };
}

export function updateSettings(scope: Scope, id: string, { dryRun, ...options }: ImportSettings): Statement {
  return {
    text: `update armature.import set options = $3::jsonb, dry_run = $4::boolean where tenant_id = $1::uuid and id = $2::uuid`,
    values: [...which(scope, id), JSON.stringify(options), String(dryRun)],
  };
}

/** Back to the beginning: nothing is processed, no row has an outcome. */
export function resetImport(scope: Scope, id: string, state: State): readonly Statement[] {
  return [
    {
      text: `update armature.import set state = $3::text, position = 0, processed = 0, created = 0, updated = 0, failed = 0, problem = null, finished_at = null where tenant_id = $1::uuid and id = $2::uuid`,
      values: [...which(scope, id), state],
    },
    {
      text: `delete from armature.import_row where tenant_id = $1::uuid and import_id = $2::uuid`,
      values: which(scope, id),
    },
  ];
}

export function setState(scope: Scope, id: string, state: State, problem: unknown = null): Statement {
  return {
    text: `update armature.import set state = $3::text, problem = $4::jsonb, finished_at = case when $3::text in ('done', 'failed') then armature.now() end where tenant_id = $1::uuid and id = $2::uuid`,
    values: [...which(scope, id), state, problem === null ? null : JSON.stringify(problem)],
  };
}

/** How far a run has come with so many more rows. @param position the last line that has its outcome then */
export function progressAfter(before: Progress, outcomes: readonly Outcome[], position: number): Progress {
  const count = (outcome: Outcome['outcome']) => outcomes.filter((one) => one.outcome === outcome).length;
  return {
    position,
    processed: before.processed + outcomes.length,
    created: before.created + count('created'),
    updated: before.updated + count('updated'),
    failed: before.failed + count('failed'),
  };
}

/** Stores how far a run has come, unless another one that does the same has come as far. */
export function setProgress(scope: Scope, id: string, progress: Progress): Statement {
  const { processed, created, updated, failed, position } = progress;
  return {
    text: `update armature.import set processed = $3::integer, created = $4::integer, updated = $5::integer, failed = $6::integer, position = $7::integer where tenant_id = $1::uuid and id = $2::uuid and position < $7::integer`,
    values: [...which(scope, id), ...[processed, created, updated, failed, position].map(String)],
  };
}

/** The rows that failed, with their cells, and those that were created and there is something to say of. */
export function keepTold(
  scope: Scope,
  id: string,
  outcomes: readonly Outcome[],
  rows: readonly FileRow[],
): Statement[] {
  const told = outcomes.filter(({ outcome, message }) => outcome === 'failed' || message !== null);
  if (told.length === 0) return [];
  const cells = new Map(rows.map((row) => [row.line, row.cells]));
  const kept = told.map((one) => ({ ...one, cells: cells.get(one.line) ?? [] }));
  return [
    {
      text: `insert into armature.import_row (tenant_id, import_id, line, cells, outcome, message, alike) select $1::uuid, $2::uuid, r.line, r.cells, r.outcome, r.message, r.alike from json_to_recordset($3::json) as r(line integer, cells jsonb, outcome text, message text, alike jsonb) on conflict (tenant_id, import_id, line) do nothing`,
      values: [...which(scope, id), JSON.stringify(kept)],
    },
  ];
}

/** The next rows without an outcome, about a thousand. */
export function selectRows(scope: Scope, id: string, after: number): Statement {
  return {
    text: `select c.last_line::text, c.rows::text from armature.import_chunk c where c.tenant_id = $1::uuid and c.import_id = $2::uuid and c.last_line > $3::integer order by c.last_line limit 1`,
    values: [...which(scope, id), String(after)],
  };
}

/** `null` when there are none. */
export function readRows(
  result: StatementResult | undefined,
): { readonly rows: FileRow[]; readonly last: number } | null {
  const [last, json] = result?.rows[0] ?? [];
  if (last == null || json == null) return null;
  const list: unknown = JSON.parse(json);
  const rows = Array.isArray(list) ? list.flatMap(readRow) : [];
  return { rows, last: Number(last) };
}

function readRow(json: unknown): FileRow[] {
  if (!isObject(json) || typeof json['line'] !== 'number' || !Array.isArray(json['cells'])) return [];
  return [{ line: json['line'], cells: json['cells'].filter(isCell) }];
}

const isCell = (cell: unknown): cell is Cell => typeof cell === 'string' || typeof cell === 'number';

/** Of a run that is over for good: its file is not needed any more. */
export function forgetFile(scope: Scope, id: string): Statement {
  return {
    text: `delete from armature.import_chunk where tenant_id = $1::uuid and import_id = $2::uuid`,
    values: which(scope, id),
  };
}

/** [line, message, cells] of rows that failed. */
export function selectFailed(scope: Scope, id: string, after: number, limit: number): Statement {
  return {
    text: `select w.line, w.message, w.cells from armature.import_row w where w.tenant_id = $1::uuid and w.import_id = $2::uuid and w.line > $3::integer and w.outcome = 'failed' order by w.line limit $4::integer`,
    values: [...which(scope, id), String(after), String(limit)],
  };
}

/** [line, message, alike, how many there are] of rows whose record may have been there already. */
export function selectDuplicates(scope: Scope, id: string, limit: number): Statement {
  return {
    text: `select w.line, w.message, w.alike, count(*) over () from armature.import_row w where w.tenant_id = $1::uuid and w.import_id = $2::uuid and w.outcome = 'created' order by w.line limit $3::integer`,
    values: [...which(scope, id), String(limit)],
  };
}

export function readFailed(
  result: StatementResult | undefined,
): { line: number; message: string; cells: readonly string[] }[] {
  return (result?.rows ?? []).map(([line, message, cells]) => ({
    line: Number(line),
    message: message ?? '',
    cells: readCells(cells),
  }));
}

export interface ToldDuplicates {
  readonly count: number;
  /** The first of them. */
  readonly rows: readonly { readonly line: number; readonly message: string; readonly records: readonly Alike[] }[];
}

export function readDuplicates(result: StatementResult | undefined): ToldDuplicates {
  const rows = (result?.rows ?? []).map(([line, message, alike]) => {
    const list: unknown = JSON.parse(alike ?? '[]');
    return { line: Number(line), message: message ?? '', records: Array.isArray(list) ? list.flatMap(readAlike) : [] };
  });
  return { count: Number(result?.rows[0]?.[3] ?? 0), rows };
}

function readAlike(json: unknown): readonly Alike[] {
  if (!isObject(json)) return [];
  const { id, title, rules } = json;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return [{ id: text(id), title: text(title), rules: Array.isArray(rules) ? rules.map(String) : [] }];
}

function readCells(json: string | null | undefined): readonly string[] {
  const list: unknown = JSON.parse(json ?? '[]');
  return Array.isArray(list)
    ? list.filter(isCell).map((cell) => (typeof cell === 'number' ? plainNumber(cell) : cell))
    : [];
}
