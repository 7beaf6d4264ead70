/** Records side by side, of which one will be left: `/crm/accounts/merge?ids=…`. The first one stays unless another is chosen. */
import { Alert, Group, Radio, Skeleton, Text } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity, UiField } from '../../engine/api/ui-model.ts';
import { isCompanion, useModel } from '../api/model.ts';
import { type ApiRecord, readRecord, selectOf } from '../api/records.ts';
import { mergeRecords } from '../api/sharing.ts';
import { navigate } from '../app/place.ts';
import { recordPath } from '../app/route.ts';
import { Icon } from '../shared/icon.tsx';
import { notify } from '../shared/notify.ts';
import { ScrollFrame } from '../shared/scroll-frame.tsx';
import { ErrorState, sentenceOf } from '../shared/states.tsx';
import { FieldValue, textOf } from '../values/field-value.tsx';
import { mergeable } from './mergeable.ts';
import classes from './record.module.css';
import { TaskHead } from './task-head.tsx';
import { useForget } from './use-record.ts';

const MOST = 5;

export function MergePage({ entity, search }: { readonly entity: UiEntity; readonly search: string }) {
  const model = useModel();
  const ids = [...new Set((new URLSearchParams(search).get('ids') ?? '').split(',').filter(Boolean))].slice(0, MOST);
  const fields = entity.fields.filter(mergeable);
  const loaded = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['record', entity.url, id, 'merge'],
      staleTime: 0,
      queryFn: async () => (await readRecord(entity, id, selectOf(model, entity, fields, ['version']))).record,
    })),
  });
  const failed = loaded.find(({ isError }) => isError);
  if (failed) return <ErrorState error={failed.error} />;
  const records = loaded.flatMap(({ data }) => data ?? []);
  if (records.length < ids.length || records.length < 2) return <Skeleton m="lg" h={240} />;
  return <Compare entity={entity} fields={fields} records={records} />;
}

interface CompareProps {
  readonly entity: UiEntity;
  readonly fields: readonly UiField[];
  readonly records: readonly ApiRecord[];
}

function Compare({ entity, fields, records }: CompareProps) {
  const { t } = useTranslation();
  const forget = useForget();
  const [winner, setWinner] = useState(records[0]?.id ?? '');
  const [chosen, setChosen] = useState<Readonly<Record<string, string>>>({});
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const shown = fields.filter(
    (field) => !isCompanion(entity, field) && records.some((record) => filled(record[field.key])),
  );
  /** The record whose value stays: as chosen, else the winner's, else the first that has one. */
  const from = (field: UiField): string =>
    chosen[field.key] ??
    [winner, ...records.map(({ id }) => id)].find((id) =>
      records.some((record) => record.id === id && filled(record[field.key])),
    ) ??
    winner;

  const merge = async () => {
    setBusy(true);
    setRefusal(null);
    const losers = records.map(({ id }) => id).filter((id) => id !== winner);
    // Lists are united unless somebody chose one of them.
    const decided = shown.filter((field) => !united(field) || chosen[field.key] !== undefined);
    try {
      await mergeRecords(entity, winner, losers, Object.fromEntries(decided.map((field) => [field.key, from(field)])));
      await forget(entity, winner);
      notify({ message: t('merge.done'), color: 'green' });
      await navigate(recordPath(entity, winner), { replace: true });
    } catch (error) {
      setRefusal(sentenceOf(error, t));
      setBusy(false);
    }
  };
  return (
    <div className={classes['page']}>
      <TaskHead
        entity={entity}
        title={t('merge.title', { entities: entity.pluralLabel })}
        back={recordPath(entity, winner)}
        busy={busy}
        action={t('merge.submit')}
        onAction={() => void merge()}
      />
      <div className={classes['body']}>
        <Text c="dimmed" mb="md">
          {t('merge.next')}
        </Text>
        {refusal ? (
          <Alert color="red" role="alert" mb="md" icon={<Icon name="alert" />}>
            {refusal}
          </Alert>
        ) : null}
        <ScrollFrame label={t('merge.title', { entities: entity.pluralLabel })}>
          <table className={classes['compare']}>
            <thead>
              <tr>
                <th scope="col">{t('merge.stays')}</th>
                {records.map((record) => (
                  <th key={record.id} scope="col">
                    <Radio
                      name="winner"
                      checked={record.id === winner}
                      onChange={() => setWinner(record.id)}
                      label={textOf(record['_title']) || '—'}
                    />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((field) => (
                <Row
                  key={field.key}
                  field={field}
                  records={records}
                  from={united(field) && chosen[field.key] === undefined ? null : from(field)}
                  onChoose={(id) => setChosen((before) => ({ ...before, [field.key]: id }))}
                />
              ))}
            </tbody>
          </table>
        </ScrollFrame>
      </div>
    </div>
  );
}

interface RowProps {
  readonly field: UiField;
  readonly records: readonly ApiRecord[];
  /** Whose value stays; `null`: those of all. */
  readonly from: string | null;
  readonly onChoose: (id: string) => void;
}

function Row({ field, records, from, onChoose }: RowProps) {
  const { t } = useTranslation();
  const same = new Set(records.map((record) => JSON.stringify(record[field.key] ?? null))).size === 1;
  return (
    <tr data-same={same || undefined}>
      <th scope="row">
        {field.label}
        {from === null && !same ? ` (${t('merge.united')})` : ''}
      </th>
      {records.map((record) => {
        const value = <FieldValue field={field} value={record[field.key]} record={record} empty="—" />;
        return (
          <td key={record.id}>
            {same ? (
              value
            ) : (
              <Group gap={8} wrap="nowrap" align="flex-start">
                <Radio
                  name={field.key}
                  size="xs"
                  mt={2}
                  checked={record.id === from}
                  onChange={() => onChoose(record.id)}
                  aria-label={t('merge.choose', { field: field.label, title: textOf(record['_title']) })}
                />
                {value}
              </Group>
            )}
          </td>
        );
      })}
    </tr>
  );
}

/** Lists of texts come together unless one of them is chosen. */
const united = (field: UiField): boolean => field.valueType === 'texts';

const filled = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
