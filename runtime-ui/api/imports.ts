/** Bringing a file in: upload, mapping, run, progress. */
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { request } from './client.ts';

export interface Upload {
  readonly id: string;
  readonly columns: readonly string[];
  readonly sample: readonly (readonly string[])[];
  readonly mapping: Readonly<Record<string, string | null>>;
  readonly rows: number;
  /** Sheets of a workbook; empty for CSV. */
  readonly sheets: readonly string[];
  readonly sheet: string | null;
}

export interface Progress {
  readonly state: 'uploaded' | 'queued' | 'running' | 'done' | 'failed';
  readonly dryRun: boolean;
  readonly total: number | null;
  readonly processed: number;
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
  readonly errors: readonly { readonly line: number; readonly message: string }[];
  /** Rows whose record may be there already, and which those are. */
  readonly duplicates: { readonly count: number; readonly rows: readonly DuplicateRow[] };
}

export interface DuplicateRow {
  readonly line: number;
  /** Of another row of a file that was only tried there is no record: `null`. */
  readonly records: readonly {
    readonly id: string | null;
    readonly title: string | null;
    readonly rules: readonly string[];
  }[];
}

export interface Settings {
  readonly mapping: Readonly<Record<string, { readonly field: string; readonly by?: string }>>;
  readonly upsertBy?: readonly string[];
  readonly dryRun: boolean;
  readonly duplicates: 'report' | null;
}

export interface Reading {
  readonly sheet?: string;
  /** Of a CSV file that is neither UTF-8 nor says what it is. */
  readonly encoding?: string;
}

export async function uploadFile(entity: UiEntity, file: File, reading: Reading = {}): Promise<Upload> {
  const query = new URLSearchParams({ ...reading }).toString();
  const form = new FormData();
  form.set('file', file);
  const { body } = await request<{ data: Upload }>('POST', `${entity.url}/imports${query === '' ? '' : `?${query}`}`, {
    form,
  });
  return body.data;
}

/** Starts the run with these settings. */
export async function startImport(entity: UiEntity, id: string, settings: Settings): Promise<void> {
  await request('POST', `${entity.url}/imports/${id}/start`, { body: settings });
}

export async function readProgress(entity: UiEntity, id: string, signal?: AbortSignal): Promise<Progress> {
  const { body } = await request<{ data: Progress }>('GET', `${entity.url}/imports/${id}`, signal ? { signal } : {});
  return body.data;
}

export function errorFileUrl(entity: UiEntity, id: string): string {
  return `${entity.url}/imports/${id}/errors.csv`;
}
