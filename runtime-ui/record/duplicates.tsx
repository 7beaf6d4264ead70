/** Records that may be the same: beside a form that creates one, and of a record that is there. */
import { Alert, Anchor, Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import type { ApiRecord } from '../api/records.ts';
import { isObject } from '../api/problem.ts';
import { type Candidate, findDuplicates } from '../api/sharing.ts';
import { navigate } from '../app/place.ts';
import { mergePath, recordPath } from '../app/route.ts';
import type { Values } from '../form/wire.ts';
import { useFormat } from '../i18n/format.ts';
import { Icon } from '../shared/icon.tsx';
import { EmptyState, ErrorState } from '../shared/states.tsx';
import classes from './record.module.css';

const WAIT_MS = 500;

/** @param draft values as they would be sent */
export function DuplicateWarning({ entity, draft }: { readonly entity: UiEntity; readonly draft: Values }) {
  const { t } = useTranslation();
  const [text] = useDebouncedValue(JSON.stringify(draft), WAIT_MS);
  const found = useQuery({
    queryKey: ['duplicates', entity.url, text],
    enabled: entity.duplicates && text !== '{}',
    queryFn: async ({ signal }) => {
      const body: unknown = JSON.parse(text);
      return findDuplicates(entity, isObject(body) ? body : {}, signal);
    },
  });
  const candidates = found.data ?? [];
  if (candidates.length === 0) return null;
  return (
    <Alert
      color="orange"
      classNames={{ title: classes['plainTitle'] ?? '' }}
      mb="md"
      icon={<Icon name="alert" />}
      title={t('duplicates.warning')}
    >
      <Candidates entity={entity} candidates={candidates.slice(0, 5)} />
    </Alert>
  );
}

/** @param onMerge offers to merge with the record at hand */
function Candidates({
  entity,
  candidates,
  onMerge,
}: {
  readonly entity: UiEntity;
  readonly candidates: readonly Candidate[];
  readonly onMerge?: (id: string) => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ul className={classes['access']}>
      {candidates.map(({ id, _title, score, reasons }) => (
        <li key={id}>
          <Anchor className={classes['accessWho'] ?? ''} href={recordPath(entity, id)} target="_blank" dir="auto">
            {_title ?? t('value.unknown')}
          </Anchor>
          <span className={classes['accessWhy']}>
            {reasons.map(({ label }) => label).join(', ')}
            {score < 1 ? ` · ${t('duplicates.alike', { score: format.integer(Math.round(score * 100)) })}` : ''}
          </span>
          {onMerge ? (
            <Button size="compact-sm" variant="default" onClick={() => onMerge(id)}>
              {t('duplicates.merge')}
            </Button>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

export function DuplicatesDialog({
  entity,
  record,
  onClose,
}: {
  readonly entity: UiEntity;
  readonly record: ApiRecord;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ['duplicates', entity.url, record.id],
    staleTime: 0,
    queryFn: ({ signal }) => {
      // As they would be sent: a reference is the id of its record.
      const draft = Object.entries(record).map(([key, value]) => [key, isObject(value) ? value['id'] : value] as const);
      return findDuplicates(entity, Object.fromEntries(draft), signal);
    },
  });
  const merge = (id: string) => {
    onClose();
    void navigate(mergePath(entity, [record.id, id]));
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t('duplicates.title')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Stack gap="md">
        {found.isError ? (
          <ErrorState error={found.error} onRetry={() => void found.refetch()} />
        ) : !found.data ? (
          <Skeleton h={60} />
        ) : found.data.length === 0 ? (
          <EmptyState icon="check" title={t('duplicates.none')} next={t('duplicates.noneNext')} />
        ) : (
          <>
            <Text c="dimmed">{t('duplicates.next')}</Text>
            <Candidates entity={entity} candidates={found.data} {...(entity.can.merge ? { onMerge: merge } : {})} />
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('action.close')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
