/** The bin of an entity: what was deleted, newest first, to be brought back or purged. */
import { Alert, Button, Checkbox, Group, Modal, Skeleton, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { type ApiRecord, readPage } from '../api/records.ts';
import { emptyFromBin } from '../api/sharing.ts';
import { listPath } from '../app/route.ts';
import { useFormat } from '../i18n/format.ts';
import { useForget } from '../record/use-record.ts';
import { EntityIcon, Icon } from '../shared/icon.tsx';
import { Link } from '../shared/link.tsx';
import { notify } from '../shared/notify.ts';
import { ScrollFrame } from '../shared/scroll-frame.tsx';
import { EmptyState, ErrorState, sentenceOf } from '../shared/states.tsx';
import { textOf } from '../values/field-value.tsx';
import record from '../record/record.module.css';

const SHOWN = 100;

export function BinPage({ entity }: { readonly entity: UiEntity }) {
  const { t } = useTranslation();
  const forget = useForget();
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const page = useQuery({
    queryKey: ['records', entity.url, 'bin'],
    staleTime: 0,
    queryFn: ({ signal }) =>
      readPage(entity, `$deleted=only&$select=id,_title,deleted_at&$order=-deleted_at&$first=${SHOWN}`, signal),
  });
  const records = page.data?.data ?? [];
  const ids = records.map(({ id }) => id).filter((id) => picked.has(id));
  const run = async (action: 'restore' | 'purge') => {
    setBusy(true);
    setRefusal(null);
    setAsking(false);
    try {
      await emptyFromBin(entity, action, ids);
      notify({ message: t(`bin.${action}d`, { count: ids.length }), color: 'green' });
      setPicked(new Set());
    } catch (error) {
      setRefusal(sentenceOf(error, t));
    }
    await forget(entity, null);
    setBusy(false);
  };
  return (
    <div className={record['page']}>
      <header className={record['head']}>
        <nav className={record['crumbs']}>
          <Link href={listPath(entity)}>{entity.pluralLabel}</Link>
        </nav>
        <div className={record['titleRow']}>
          <span className={record['icon']}>
            <EntityIcon name={entity.icon} label={entity.label} size={18} />
          </span>
          <Title order={1} className={record['title'] ?? ''}>
            {t('bin.title', { entities: entity.pluralLabel })}
          </Title>
          <Group gap={8} wrap="nowrap" className={record['actions'] ?? ''}>
            {entity.can.purge ? (
              <Button variant="default" disabled={ids.length === 0 || busy} onClick={() => setAsking(true)}>
                {t('bin.purge')}
              </Button>
            ) : null}
            <Button
              disabled={ids.length === 0}
              loading={busy}
              leftSection={<Icon name="undo" />}
              onClick={() => void run('restore')}
            >
              {t('bin.restore')}
            </Button>
          </Group>
        </div>
      </header>
      <div className={record['body']}>
        {refusal ? (
          <Alert color="red" role="alert" mb="md" icon={<Icon name="alert" />}>
            {refusal}
          </Alert>
        ) : null}
        {page.isError ? (
          <ErrorState error={page.error} onRetry={() => void page.refetch()} />
        ) : !page.data ? (
          <Skeleton h={160} />
        ) : records.length === 0 ? (
          <EmptyState icon="trash" title={t('bin.empty')} next={t('bin.emptyNext')} />
        ) : (
          <Deleted entity={entity} records={records} picked={picked} onPick={setPicked} />
        )}
      </div>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('bin.purgeTitle', { count: ids.length })}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <Text mb="md">{t('bin.purgeNext')}</Text>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
            {t('action.cancel')}
          </Button>
          <Button color="red" onClick={() => void run('purge')}>
            {t('bin.purge')}
          </Button>
        </Group>
      </Modal>
    </div>
  );
}

interface DeletedProps {
  readonly entity: UiEntity;
  readonly records: readonly ApiRecord[];
  readonly picked: ReadonlySet<string>;
  readonly onPick: (picked: ReadonlySet<string>) => void;
}

function Deleted({ entity, records, picked, onPick }: DeletedProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const toggle = (id: string) => {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    onPick(next);
  };
  const every = records.every(({ id }) => picked.has(id));
  return (
    <ScrollFrame label={t('bin.title', { entities: entity.pluralLabel })}>
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={44}>
              <Checkbox
                aria-label={t('bin.all')}
                checked={every}
                indeterminate={!every && picked.size > 0}
                onChange={() => onPick(every ? new Set() : new Set(records.map(({ id }) => id)))}
              />
            </Table.Th>
            <Table.Th>{entity.label}</Table.Th>
            <Table.Th>{t('bin.deletedAt')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {records.map((one) => {
            const title = textOf(one['_title']) || '—';
            const at = textOf(one['deleted_at']);
            return (
              <Table.Tr key={one.id}>
                <Table.Td>
                  <Checkbox aria-label={title} checked={picked.has(one.id)} onChange={() => toggle(one.id)} />
                </Table.Td>
                <Table.Td dir="auto">{title}</Table.Td>
                <Table.Td>{at ? <time dateTime={at}>{format.datetime(at)}</time> : '—'}</Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </ScrollFrame>
  );
}
