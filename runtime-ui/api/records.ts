/** Reading and writing records of any entity. */
import type { UiEntity, UiField, UiModel } from '../../engine/api/ui-model.ts';
import { request } from './client.ts';

export type ApiRecord = Readonly<Record<string, unknown>> & { readonly id: string };

export interface Page {
  readonly data: readonly ApiRecord[];
  readonly page: { readonly next: string | null; readonly prev: string | null };
  readonly count?: { readonly value: number; readonly mode: string } | null;
}

/** A record with the ETag that a later change has to present. */
export interface Loaded {
  readonly record: ApiRecord;
  readonly etag: string | null;
}

export interface HistoryEntry {
  readonly at: string;
  readonly actor: { readonly id: string | null; readonly name: string } | null;
  readonly version: number;
  readonly changes: readonly {
    readonly field: string;
    readonly label: string;
    readonly old: unknown;
    readonly new: unknown;
  }[];
}

/**
 * What to `$select` so that these fields can be shown: references with their title, what comes with a field with it,
 * children with the fields of the child.
 */
export function selectOf(
  model: UiModel,
  entity: UiEntity,
  fields: readonly UiField[],
  extra: readonly string[] = [],
): string {
  const parts = new Set<string>(['id', '_title', ...extra]);
  for (const field of fields) {
    if (field.children) {
      const child = model.entities[field.children.entity];
      const back = field.children.field;
      if (!child) continue;
      const own = child.fields.filter((each) => !each.system && each.key !== back && !each.list);
      parts.add(`${field.key}(${selectOf(model, child, own)})`);
    } else if (field.reference || field.list) {
      parts.add(`${field.key}(id,_title)`);
    } else {
      parts.add(field.key);
      if (field.currencyField && entity.fields.some((each) => each.key === field.currencyField))
        parts.add(field.currencyField);
      // A reference to one of several entities is answered whole: nobody needs the references behind it.
      if (!field.targets) for (const key of field.companions) parts.add(key);
    }
  }
  return [...parts].join(',');
}

/** @param query the parameters after `?`, already encoded */
export async function readPage(entity: UiEntity, query: string, signal?: AbortSignal): Promise<Page> {
  const { body } = await request<Page>('GET', `${entity.url}?${query}`, signal ? { signal } : {});
  return body;
}

export async function readRecord(entity: UiEntity, id: string, select: string, signal?: AbortSignal): Promise<Loaded> {
  const url = `${entity.url}/${encodeURIComponent(id)}?$select=${encodeURIComponent(select)}`;
  const { body, etag } = await request<{ data: ApiRecord }>('GET', url, signal ? { signal } : {});
  return { record: body.data, etag };
}

/** @param meant although there may be a record like it already */
export async function createRecord(
  entity: UiEntity,
  values: Readonly<Record<string, unknown>>,
  meant = false,
): Promise<ApiRecord> {
  const { body } = await request<{ data: ApiRecord }>('POST', entity.url, {
    body: values,
    ...(meant && { prefer: 'duplicates=ignore' }),
  });
  return body.data;
}

export async function updateRecord(
  entity: UiEntity,
  id: string,
  changes: Readonly<Record<string, unknown>>,
  etag: string | null,
): Promise<void> {
  await request('PATCH', `${entity.url}/${encodeURIComponent(id)}`, {
    body: changes,
    contentType: 'application/merge-patch+json',
    ifMatch: etag,
  });
}

export async function deleteRecord(entity: UiEntity, id: string, etag: string | null): Promise<void> {
  await request('DELETE', `${entity.url}/${encodeURIComponent(id)}`, { ifMatch: etag });
}

/** Runs a transition (or `restore`) with the fields it sets. */
export async function runAction(
  entity: UiEntity,
  id: string,
  action: string,
  values: Readonly<Record<string, unknown>>,
  etag: string | null,
): Promise<void> {
  await request('POST', `${entity.url}/${encodeURIComponent(id)}/actions/${encodeURIComponent(action)}`, {
    body: values,
    ifMatch: etag,
  });
}

export async function readHistory(
  entity: UiEntity,
  id: string,
  signal?: AbortSignal,
): Promise<readonly HistoryEntry[]> {
  const { body } = await request<{ data: readonly HistoryEntry[] }>(
    'GET',
    `${entity.url}/${encodeURIComponent(id)}/history`,
    signal ? { signal } : {},
  );
  return body.data;
}
