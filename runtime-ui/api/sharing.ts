/** Who has access to a record, giving it away, records that may be the same, and the bin. */
import type { UiEntity, UiField } from '../../engine/api/ui-model.ts';
import { request } from './client.ts';

interface Named {
  readonly id: string;
  readonly name: string | null;
}

export interface Share {
  readonly id: string;
  readonly user: Named | null;
  readonly team: Named | null;
  readonly level: 'read' | 'write';
  readonly reason: string | null;
  readonly until: string | null;
  /** ISO 8601 */
  readonly created_at: string;
  readonly created_by: Named | null;
  readonly ended_at: string | null;
  readonly ended_by: Named | null;
  readonly state: 'live' | 'expired' | 'ended';
}

export interface Access {
  readonly owner: Named | null;
  readonly roles: readonly {
    readonly role: string;
    readonly label: string;
    readonly read: 'all' | 'some';
    readonly write: 'all' | 'some' | null;
  }[];
  readonly shares: readonly Share[];
}

export interface Candidate {
  readonly id: string;
  readonly _title: string | null;
  readonly score: number;
  readonly reasons: readonly { readonly rule: string; readonly label: string }[];
}

const recordUrl = (entity: UiEntity, id: string): string => `${entity.url}/${encodeURIComponent(id)}`;

export async function readAccess(entity: UiEntity, id: string, signal?: AbortSignal): Promise<Access> {
  const { body } = await request<{ data: Access }>('GET', `${recordUrl(entity, id)}/shares`, signal ? { signal } : {});
  return body.data;
}

export async function shareRecord(
  entity: UiEntity,
  id: string,
  share: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  await request('POST', `${recordUrl(entity, id)}/shares`, { body: share });
}

export async function endShare(entity: UiEntity, id: string, share: string): Promise<void> {
  await request('DELETE', `${recordUrl(entity, id)}/shares/${encodeURIComponent(share)}`);
}

/** @param draft values as for a creation; with `id`, of a record that is there already */
export async function findDuplicates(
  entity: UiEntity,
  draft: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<readonly Candidate[]> {
  const { body } = await request<{ data: readonly Candidate[] }>('POST', `${entity.url}/$duplicates`, {
    body: draft,
    ...(signal && { signal }),
  });
  return body.data;
}

/** @param fields field key → id of the record whose value wins */
export async function mergeRecords(
  entity: UiEntity,
  winner: string,
  from: readonly string[],
  fields: Readonly<Record<string, string>>,
): Promise<void> {
  await request('POST', `${recordUrl(entity, winner)}/merge`, { body: { from, fields } });
}

export async function emptyFromBin(
  entity: UiEntity,
  action: 'restore' | 'purge',
  ids: readonly string[],
): Promise<void> {
  await request('POST', `${entity.url}/bin`, { body: { [action]: ids } });
}

/** A field of no record, for inputs that stand outside of a form: to find a record of `target`, or (null) for any value. */
export function looseField(entity: UiEntity, label: string, target: string | null): UiField | null {
  const [any] = entity.fields;
  return any
    ? {
        ...any,
        key: target ?? 'value',
        label,
        help: null,
        reference: target,
        choices: null,
        children: null,
        currencyField: null,
      }
    : null;
}
