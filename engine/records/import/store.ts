/** The import's own rows in the database: read and written as the user whose import it is, who sees no other's. */
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import { notFound } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import { isObject } from '../write/validate.ts';
import type { Outcome } from './chunk.ts';
import type { FileRow } from './csv.ts';
import type { ColumnMapping, ImportSettings } from './mapping.ts';

export type State = 'uploaded' | 'queued' | 'running' | 'done' | 'failed';

export interface StoredImport {
  readonly id: string;
  readonly entity: string;
  readonly name: string;
  readonly columns: readonly string[];
  readonly settings: ImportSettings;
  readonly state: State;
  readonly total: number;
  readonly processed: number;
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
  readonly problem: unknown;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const which = (scope: Scope, id: string): string[] => {
  if (!UUID.test(id)) throw notFound();
  return [scope.tenant.id, id.toLowerCase()];
};

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

/** @param json rows as a JSON array of `{line, cells}` */
export function insertRows(scope: Scope, id: string, json: string): Statement {
  return {
    text: `insert into armature.import_row (tenant_id, import_id, line, cells) select $1::uuid, $2::uuid, r.line, r.cells from json_to_recordset($3::json) as r(line integer, cells jsonb)`,
    values: [scope.tenant.id, id, json],
  };
}

/** @param lock keeps other workers away until the transaction ends */
export function selectImport(scope: Scope, id: string, lock = false): Statement {
  return {
    text: `select i.id, i.entity, i.file_name, i.columns, i.options, i.dry_run, i.state, i.total, i.processed, i.created, i.updated, i.failed, i.problem
from armature.import i where i.tenant_id = $1::uuid and i.id = $2::uuid${lock ? ' for update' : ''}`,
    values: which(scope, id),
  };
}

/** @throws Problem `not_found` when there is no such import, or it is of another entity */
export function readImport(result: StatementResult | undefined, entity?: string): StoredImport {
  const row = result?.rows[0];
  if (!row || (entity !== undefined && row[1] !== entity)) throw notFound();
  const [id, name, file, columns, options, dryRun, state, total, processed, created, updated, failed, problem] = row;
  return {
    id: id ?? '',
    entity: name ?? '',
    name: file ?? '',
    columns: readList(columns),
    settings: { ...readOptions(options), dryRun: dryRun === 't' },
    state: stateOf(state),
    total: Number(total),
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
  if (!isObject(options)) return { mapping: {}, upsertBy: null, dateOrder: null, decimalMark: null };
  const mapping = isObject(options['mapping']) ? (options['mapping'] as Record<string, ColumnMapping>) : {};
  const key: unknown = options['upsertBy'];
  return {
    mapping,
    upsertBy: Array.isArray(key) ? key.filter((item): item is string => typeof item === 'string') : null,
    dateOrder: options['dateOrder'] === 'dmy' || options['dateOrder'] === 'mdy' ? options['dateOrder'] : null,
    decimalMark: options['decimalMark'] === '.' || options['decimalMark'] === ',' ? options['decimalMark'] : null,
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
      text: `update armature.import set state = $3::text, processed = 0, created = 0, updated = 0, failed = 0, problem = null, finished_at = null where tenant_id = $1::uuid and id = $2::uuid`,
      values: [...which(scope, id), state],
    },
    {
      text: `update armature.import_row set outcome = null, message = null where tenant_id = $1::uuid and import_id = $2::uuid and outcome is not null`,
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

export function addProgress(scope: Scope, id: string, outcomes: readonly Outcome[]): Statement {
  const count = (outcome: Outcome['outcome']) => String(outcomes.filter((one) => one.outcome === outcome).length);
  return {
    text: `update armature.import set processed = processed + $3::integer, created = created + $4::integer, updated = updated + $5::integer, failed = failed + $6::integer where tenant_id = $1::uuid and id = $2::uuid`,
    values: [...which(scope, id), String(outcomes.length), count('created'), count('updated'), count('failed')],
  };
}

export function keepOutcomes(scope: Scope, id: string, outcomes: readonly Outcome[]): Statement {
  return {
    text: `update armature.import_row w set outcome = r.outcome, message = r.message from json_to_recordset($3::json) as r(line integer, outcome text, message text) where w.tenant_id = $1::uuid and w.import_id = $2::uuid and w.line = r.line`,
    values: [...which(scope, id), JSON.stringify(outcomes)],
  };
}

/** The next rows without an outcome. */
export function selectOpenRows(scope: Scope, id: string, after: number, limit: number): Statement {
  return {
    text: `select w.line, w.cells from armature.import_row w where w.tenant_id = $1::uuid and w.import_id = $2::uuid and w.line > $3::integer and w.outcome is null order by w.line limit $4::integer`,
    values: [...which(scope, id), String(after), String(limit)],
  };
}

export function readRows(result: StatementResult | undefined): FileRow[] {
  return (result?.rows ?? []).map(([line, cells]) => ({ line: Number(line), cells: readList(cells) }));
}

/** [line, message, cells] of rows that failed. */
export function selectFailed(scope: Scope, id: string, after: number, limit: number): Statement {
  return {
    text: `select w.line, w.message, w.cells from armature.import_row w where w.tenant_id = $1::uuid and w.import_id = $2::uuid and w.line > $3::integer and w.outcome = 'failed' order by w.line limit $4::integer`,
    values: [...which(scope, id), String(after), String(limit)],
  };
}

export function readFailed(
  result: StatementResult | undefined,
): { line: number; message: string; cells: readonly string[] }[] {
  return (result?.rows ?? []).map(([line, message, cells]) => ({
    line: Number(line),
    message: message ?? '',
    cells: readList(cells),
  }));
}
