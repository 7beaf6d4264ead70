/** What happened to a record, in words: who, what, when, newest first. */
import { Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { fieldOf, isCompanion } from '../api/model.ts';
import { type HistoryEntry, readHistory } from '../api/records.ts';
import { readAccess } from '../api/sharing.ts';
import { isolated, useFormat } from '../i18n/format.ts';
import { EmptyState, ErrorState } from '../shared/states.tsx';
import { Waiting } from '../shared/waiting.tsx';
import { FieldValue, textOf } from '../values/field-value.tsx';
import { Initials } from '../values/person.tsx';
import classes from './record.module.css';
import { ShareEntry, shareEventsOf } from './share-events.tsx';

interface HistoryTabProps {
  readonly entity: UiEntity;
  readonly id: string;
  /** Whether the reader may share the record, and so is told with whom it was shared. */
  readonly sharing: boolean;
}

export function HistoryTab({ entity, id, sharing }: HistoryTabProps) {
  const { t } = useTranslation();
  const history = useQuery({
    queryKey: ['history', entity.url, id],
    queryFn: ({ signal }) => readHistory(entity, id, signal),
  });
  const access = useQuery({
    queryKey: ['access', entity.url, id],
    queryFn: ({ signal }) => readAccess(entity, id, signal),
    enabled: sharing,
    staleTime: 0,
  });
  if (history.isError) return <ErrorState error={history.error} onRetry={() => void history.refetch()} />;
  if (!history.data || (sharing && access.isPending)) {
    return (
      <Waiting>
        <Stack>
          <Skeleton h={36} />
          <Skeleton h={36} />
          <Skeleton h={36} />
        </Stack>
      </Waiting>
    );
  }
  const changes = history.data
    .toSorted((a, b) => b.version - a.version)
    .map((entry) => ({ at: entry.at, row: <Event key={entry.version} entity={entity} entry={entry} /> }));
  const shares = (access.data ? shareEventsOf(access.data) : []).map((event) => ({
    at: event.at,
    row: <ShareEntry key={event.key} event={event} />,
  }));
  // Entries of one moment stay in their order.
  const entries = [...changes, ...shares].toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
  if (entries.length === 0) return <EmptyState icon="clock" title={t('history.empty')} next={t('history.emptyNext')} />;
  return <ol className={classes['events']}>{entries.map(({ row }) => row)}</ol>;
}

export function Event({ entity, entry }: { readonly entity: UiEntity; readonly entry: HistoryEntry }) {
  const { t } = useTranslation();
  const format = useFormat();
  const name = entry.actor?.name ?? t('history.system');
  const created = entry.version === 1;
  const valueOf = (side: 'old' | 'new') =>
    Object.fromEntries(entry.changes.map((change) => [change.field, change[side]]));
  const changes = entry.changes.filter((change) => {
    const field = fieldOf(entity, change.field);
    return (!field || !isCompanion(entity, field)) && !(created && isNothing(change.new));
  });
  return (
    <li className={classes['event']}>
      <span className={classes['eventWho']}>
        <Initials name={name} />
      </span>
      <span>{t(created ? 'history.created' : 'history.changed', { name: isolated(name) })}</span>
      <time className={classes['eventTime']} dateTime={entry.at} title={format.datetime(entry.at)}>
        {format.ago(entry.at)}
      </time>
      <ul className={classes['changes']}>
        {changes.map((change, at) => (
          <li key={`${change.field} ${at}`}>
            <span>{change.label}</span>
            {isNothing(change.old) ? null : (
              <>
                <span className={classes['old']}>
                  <Side entity={entity} field={change.field} value={change.old} record={valueOf('old')} />
                </span>
                <span className={classes['arrow']} aria-hidden="true">
                  →
                </span>
                <span className="visually-hidden">{t('history.to')}</span>
              </>
            )}
            <Side entity={entity} field={change.field} value={change.new} record={valueOf('new')} />
          </li>
        ))}
      </ul>
    </li>
  );
}

function Side({
  entity,
  field,
  value,
  record,
}: {
  readonly entity: UiEntity;
  readonly field: string;
  readonly value: unknown;
  readonly record: Readonly<Record<string, unknown>>;
}) {
  const { t } = useTranslation();
  const known = fieldOf(entity, field);
  if (isNothing(value)) return <em>{t('value.empty')}</em>;
  return known ? <FieldValue field={known} value={value} record={record} /> : <span dir="auto">{textOf(value)}</span>;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}
