/** Files of records. */
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { request } from './client.ts';

export interface FileInfo {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
}

/** Sends a file; it waits for a record that names it. */
export async function uploadFile(entity: UiEntity, file: File): Promise<FileInfo> {
  const url = `${entity.url}/$files?name=${encodeURIComponent(file.name)}`;
  const { body } = await request<{ data: FileInfo }>('POST', url, { file });
  return body.data;
}

/** Where the content of a record's file is. `inline`: to be shown, which pictures are. */
export function fileUrl(entity: UiEntity, recordId: string, field: string, inline: boolean): string {
  return `${entity.url}/${encodeURIComponent(recordId)}/files/${encodeURIComponent(field)}${inline ? '?inline' : ''}`;
}
