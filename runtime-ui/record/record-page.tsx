/** One record: what it is, what may be done with it, what belongs to it, what happened to it. */
import { Skeleton, Stack, Tabs } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { referrers, useModel } from '../api/model.ts';
import { ErrorState } from '../shared/states.tsx';
import { Waiting } from '../shared/waiting.tsx';
import { textOf } from '../values/field-value.tsx';
import { Details } from './details.tsx';
import { EditRecord } from './edit-record.tsx';
import { HistoryTab } from './history-tab.tsx';
import classes from './record.module.css';
import { RecordHead } from './record-head.tsx';
import { RelatedTab } from './related-tab.tsx';
import { TimelineTab } from './timeline-tab.tsx';
import { useRecord } from './use-record.ts';

export function RecordPage({ entity, id }: { readonly entity: UiEntity; readonly id: string }) {
  const { t } = useTranslation();
  const model = useModel();
  const loaded = useRecord(entity, id);
  const [editing, setEditing] = useState(false);
  const [tab, setTab] = useState<string | null>('details');
  const title = textOf(loaded.data?.record['_title']);
  useEffect(() => {
    if (title) document.title = `${title} · ${model.tenant.name}`;
  }, [title, model]);
  if (loaded.isError && !loaded.data) return <ErrorState error={loaded.error} onRetry={() => void loaded.refetch()} />;
  if (!loaded.data) return <RecordSkeleton />;
  const related = referrers(model, entity.name);
  const may = loaded.data.record['_may'];
  const mayShare = Array.isArray(may) && may.includes('share');
  if (editing) return <EditRecord entity={entity} loaded={loaded.data} onDone={() => setEditing(false)} />;
  return (
    <div className={classes['page']}>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <div className={classes['stuck']}>
          <RecordHead entity={entity} loaded={loaded.data} onEdit={() => setEditing(true)} />
          <Tabs.List className={classes['tabs'] ?? ''}>
            <Tabs.Tab value="details">{t('record.details')}</Tabs.Tab>
            {related.length > 0 ? <Tabs.Tab value="related">{t('record.related')}</Tabs.Tab> : null}
            <Tabs.Tab value="timeline">{t('record.timeline')}</Tabs.Tab>
            <Tabs.Tab value="history">{t('record.history')}</Tabs.Tab>
          </Tabs.List>
        </div>
        <Tabs.Panel value="details" className={classes['body'] ?? ''}>
          <Details entity={entity} record={loaded.data.record} />
        </Tabs.Panel>
        <Tabs.Panel value="related" className={classes['body'] ?? ''}>
          <RelatedTab entity={entity} id={id} related={related} />
        </Tabs.Panel>
        <Tabs.Panel value="timeline" className={classes['body'] ?? ''}>
          <TimelineTab entity={entity} id={id} related={related} />
        </Tabs.Panel>
        <Tabs.Panel value="history" className={classes['body'] ?? ''}>
          <HistoryTab entity={entity} id={id} sharing={mayShare} />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

function RecordSkeleton() {
  return (
    <Waiting className={classes['page']}>
      <div className={classes['head']}>
        <Skeleton h={14} w={90} mb={10} />
        <Skeleton h={28} w={280} />
      </div>
      <Stack className={classes['body'] ?? ''} gap={18}>
        {[1, 2, 3, 4, 5, 6].map((row) => (
          <Skeleton key={row} h={18} w={row % 2 ? '80%' : '64%'} />
        ))}
      </Stack>
    </Waiting>
  );
}
