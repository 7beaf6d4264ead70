/** Everything about a record in one list: changes of it, and the records that refer to it, by the reads there are. */
import { Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { UiEntity, UiField } from '../../engine/api/ui-model.ts';
import { fieldOf } from '../api/model.ts';
import { ApiProblem } from '../api/problem.ts';
import { type ApiRecord, type HistoryEntry, readHistory, readPage } from '../api/records.ts';
import { recordPath } from '../app/route.ts';
import { isolated, useFormat } from '../i18n/format.ts';
import { EntityIcon } from '../shared/icon.tsx';
import { Link } from '../shared/link.tsx';
import { EmptyState, ErrorState } from '../shared/states.tsx';
import { Waiting } from '../shared/waiting.tsx';
import { FieldValue, textOf } from '../values/field-value.tsx';
import { Event } from './history-tab.tsx';
import classes from './record.module.css';
import { RELATED, type TimelineEntry, timelineOf } from './timeline.ts';

interface TimelineTabProps {
  readonly entity: UiEntity;
  readonly id: string;
  readonly related: readonly { readonly entity: UiEntity; readonly field: UiField }[];
}

export function TimelineTab({ entity, id, related }: TimelineTabProps) {
  const { t } = useTranslation();
  const timeline = useQuery({
    queryKey: ['timeline', entity.url, id],
    queryFn: ({ signal }) => readTimeline(entity, id, related, signal),
  });
  if (timeline.isError) return <ErrorState error={timeline.error} onRetry={() => void timeline.refetch()} />;
  if (!timeline.data) {
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
  if (timeline.data.length === 0)
    return <EmptyState icon="clock" title={t('record.timelineEmpty')} next={t('record.timelineEmptyNext')} />;
  return (
    <ol className={classes['events']} aria-label={t('record.timeline')}>
      {timeline.data.map((each) =>
        each.kind === 'change' ? (
          <Event key={each.key} entity={entity} entry={each.entry} />
        ) : (
          <RelatedEvent key={each.key} shown={each} />
        ),
      )}
    </ol>
  );
}

function RelatedEvent({ shown }: { readonly shown: Extract<TimelineEntry, { kind: 'related' }> }) {
  const { at, entity, record } = shown;
  const { t } = useTranslation();
  const format = useFormat();
  const state = stateOf(entity);
  const value = state && record[state.key];
  return (
    <li className={classes['event']}>
      <span className={classes['eventWho']} aria-hidden="true">
        <EntityIcon name={entity.icon} label={entity.label} />
      </span>
      <span>
        <Link href={recordPath(entity, record.id)}>
          {t('record.timelineNew', { entity: entity.label, title: isolated(textOf(record['_title'])) })}
        </Link>{' '}
        {state && value ? <FieldValue field={state} value={value} record={record} /> : null}
      </span>
      <time className={classes['eventTime']} dateTime={at} title={format.datetime(at)}>
        {format.ago(at)}
      </time>
    </li>
  );
}

const stateOf = (entity: UiEntity): UiField | undefined => entity.fields.find((field) => field.type === 'state');

/** Entities that keep no history answer that there is none. */
function noneKept(error: unknown): readonly HistoryEntry[] {
  if (error instanceof ApiProblem && error.status === 404) return [];
  throw error;
}

async function readTimeline(
  entity: UiEntity,
  id: string,
  related: TimelineTabProps['related'],
  signal: AbortSignal,
): Promise<readonly TimelineEntry[]> {
  const [history, ...lists] = await Promise.all([
    readHistory(entity, id, signal).catch(noneKept),
    ...related
      .filter((each) => fieldOf(each.entity, 'created_at'))
      .map(async (each) => ({ entity: each.entity, records: await readRelated(each.entity, each.field, id, signal) })),
  ]);
  return timelineOf(history, lists);
}

async function readRelated(
  entity: UiEntity,
  field: UiField,
  id: string,
  signal: AbortSignal,
): Promise<readonly ApiRecord[]> {
  const select = ['id', '_title', 'created_at', ...(stateOf(entity) ? [stateOf(entity)?.key] : [])].join(',');
  const query = `$select=${select}&${field.key}=${encodeURIComponent(id)}&$order=-created_at&$first=${RELATED}`;
  const { data } = await readPage(entity, query, signal);
  return data;
}
