/** Watches a run until it is over, then says what came of it. */
import { Alert, Anchor, Button, Group, Progress as Bar, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { errorFileUrl, readProgress } from '../api/imports.ts';
import { navigate } from '../app/place.ts';
import { listPath } from '../app/route.ts';
import { useFormat } from '../i18n/format.ts';
import { useForget } from '../record/use-record.ts';
import { Icon } from '../shared/icon.tsx';
import { ErrorState, sentenceOf } from '../shared/states.tsx';
import { DuplicateRows } from './duplicate-rows.tsx';
import classes from './import.module.css';

const POLL_MS = 700;

interface ProgressStepProps {
  readonly entity: UiEntity;
  readonly id: string;
  /** Counts the runs of this file: what is known of one says nothing of the next. */
  readonly run: number;
  readonly dryRun: boolean;
  readonly onMapping: () => void;
  readonly onAgain: () => void;
  readonly onForReal: () => Promise<void>;
}

export function ProgressStep({ entity, id, run: turn, dryRun, onMapping, onAgain, onForReal }: ProgressStepProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const forget = useForget();
  const [refusal, setRefusal] = useState<string | null>(null);
  const progress = useQuery({
    queryKey: ['import', entity.url, id, turn],
    gcTime: 0,
    staleTime: 0,
    queryFn: ({ signal }) => readProgress(entity, id, signal),
    refetchInterval: (query) => (query.state.data && over(query.state.data.state) ? false : POLL_MS),
  });
  const run = progress.data;
  const finished = run ? over(run.state) : false;
  useEffect(() => {
    if (finished && !dryRun) void forget(entity, null);
  }, [finished, dryRun, forget, entity]);
  if (progress.isError) return <ErrorState error={progress.error} onRetry={() => void progress.refetch()} />;
  const total = run?.total ?? 0;
  if (!run || !finished) {
    const share = total > 0 ? Math.round(((run?.processed ?? 0) / total) * 100) : 0;
    return (
      <Stack gap="sm" maw={560}>
        <Title order={2}>{t(run?.state === 'running' ? 'import.running' : 'import.queued')}</Title>
        <Bar value={share} animated aria-label={t('import.running')} />
        <Text c="dimmed">
          {t('import.progress', { processed: format.integer(run?.processed ?? 0), total: format.integer(total) })}
        </Text>
        <Text size="sm" c="dimmed">
          {t('import.leave')}
        </Text>
      </Stack>
    );
  }
  const outcome = t(run.state === 'failed' ? 'import.failed' : dryRun ? 'import.doneDry' : 'import.done');
  const numbers = [
    { key: 'created', label: t(dryRun ? 'import.wouldCreate' : 'import.created'), value: run.created, bad: false },
    { key: 'updated', label: t(dryRun ? 'import.wouldUpdate' : 'import.updated'), value: run.updated, bad: false },
    {
      key: 'failed',
      label: t(dryRun ? 'import.wouldFail' : 'import.failedRows'),
      value: run.failed,
      bad: run.failed > 0,
    },
    ...(run.duplicates.count > 0
      ? [{ key: 'alike', label: t('import.alikeNumber'), value: run.duplicates.count, bad: false }]
      : []),
  ];
  const real = async () => {
    setRefusal(null);
    try {
      await onForReal();
    } catch (error) {
      setRefusal(sentenceOf(error, t));
    }
  };
  return (
    <div>
      <Title order={2}>{outcome}</Title>
      <output className="visually-hidden">{outcome}</output>
      <dl className={classes['numbers']}>
        {numbers.map((number) => (
          <div key={number.key} className={classes['number']} data-bad={number.bad || undefined}>
            <dt>{number.label}</dt>
            <dd>{format.integer(number.value)}</dd>
          </div>
        ))}
      </dl>
      {run.errors.length > 0 ? (
        <section aria-label={t('import.errors')}>
          <Group justify="space-between">
            <Title order={3}>{t('import.errors')}</Title>
            <Anchor href={errorFileUrl(entity, id)} download size="sm" underline="always">
              {t('import.downloadErrors')}
            </Anchor>
          </Group>
          <ul className={classes['problems']}>
            {run.errors.slice(0, 20).map((error) => (
              <li key={`${error.line} ${error.message}`}>
                <span>{t('import.line', { line: error.line })}</span>
                {error.message}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      <DuplicateRows entity={entity} duplicates={run.duplicates} dryRun={dryRun} />
      {refusal ? (
        <Alert color="red" role="alert" mt="md">
          {refusal}
        </Alert>
      ) : null}
      <Group mt="xl" gap="sm">
        {dryRun ? (
          <>
            <Button
              leftSection={<Icon name="upload" />}
              onClick={() => void real()}
              disabled={run.created + run.updated === 0}
            >
              {t('import.runForReal')}
            </Button>
            <Button variant="default" onClick={onMapping}>
              {t('import.backToMapping')}
            </Button>
          </>
        ) : (
          <>
            <Button onClick={() => void navigate(listPath(entity))}>{t('import.toList')}</Button>
            <Button variant="default" onClick={onAgain}>
              {t('import.again')}
            </Button>
          </>
        )}
      </Group>
    </div>
  );
}

function over(state: string): boolean {
  return state === 'done' || state === 'failed';
}
