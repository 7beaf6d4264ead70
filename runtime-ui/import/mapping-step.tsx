/** Says what each column becomes, and what to do with rows that exist already. */
import { Alert, Button, Checkbox, Radio, Select, Stack, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import type { Settings, Upload } from '../api/imports.ts';
import { fieldOf, useModel } from '../api/model.ts';
import { useFormat } from '../i18n/format.ts';
import { Icon } from '../shared/icon.tsx';
import { ScrollFrame } from '../shared/scroll-frame.tsx';
import { sentenceOf } from '../shared/states.tsx';
import classes from './import.module.css';
import {
  duplicates,
  findableBy,
  goesTo,
  type Mapping,
  matchable,
  proposed,
  settingsOf,
  targets,
  unmapped,
} from './mapping.ts';

interface MappingStepProps {
  readonly entity: UiEntity;
  readonly upload: Upload;
  readonly name: string;
  readonly initial: Settings | null;
  readonly onStart: (settings: Settings) => Promise<void>;
  readonly onBack: () => void;
  /** Reads another sheet of the workbook. */
  readonly onSheet: (sheet: string) => Promise<void>;
}

export function MappingStep({ entity, upload, name, initial, onStart, onBack, onSheet }: MappingStepProps) {
  const { t } = useTranslation();
  const model = useModel();
  const format = useFormat();
  const [mapping, setMapping] = useState<Mapping>(() =>
    initial
      ? { ...Object.fromEntries(upload.columns.map((column) => [column, null])), ...initial.mapping }
      : proposed(model, entity, upload),
  );
  const [upsertBy, setUpsertBy] = useState(initial?.upsertBy?.join(',') ?? '');
  const [dryRun, setDryRun] = useState(initial?.dryRun ?? true);
  const [look, setLook] = useState(entity.duplicates && initial?.duplicates !== null);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const label = (key: string) => fieldOf(entity, key)?.label ?? key;
  const doubled = duplicates(mapping);
  const missing = unmapped(entity, mapping);
  const keys = entity.can.update ? matchable(entity, mapping) : [];
  const chosen = keys.find((key) => key.join(',') === upsertBy) ?? null;
  const finding = Object.values(mapping).some((target) => target && fieldOf(entity, target.field)?.reference);
  const options = targets(entity).map((field) => ({ value: field.key, label: field.label }));
  const readSheet = async (sheet: string) => {
    setBusy(true);
    setRefusal(null);
    try {
      await onSheet(sheet);
    } catch (error) {
      setRefusal(sentenceOf(error, t));
      setBusy(false);
    }
  };
  const start = async () => {
    setBusy(true);
    setRefusal(null);
    try {
      await onStart(settingsOf(mapping, chosen, dryRun, look));
    } catch (error) {
      setRefusal(sentenceOf(error, t));
      setBusy(false);
    }
  };
  return (
    <Stack gap="lg">
      {upload.sheets.length > 1 ? (
        <Select
          w={260}
          label={t('import.sheet')}
          data={[...upload.sheets]}
          value={upload.sheet}
          disabled={busy}
          allowDeselect={false}
          onChange={(sheet) => {
            if (sheet !== null && sheet !== upload.sheet) void readSheet(sheet);
          }}
        />
      ) : null}
      <Text c="dimmed">{t('import.rows', { count: upload.rows, value: format.integer(upload.rows), name })}</Text>
      <ScrollFrame label={t('import.map')}>
        <Table verticalSpacing={6} miw={640}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('import.column')}</Table.Th>
              <Table.Th>{t('import.sample')}</Table.Th>
              <Table.Th>{t('import.target')}</Table.Th>
              {finding ? <Table.Th>{t('import.by')}</Table.Th> : null}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {upload.columns.map((column, at) => {
              const target = mapping[column] ?? null;
              const field = target ? fieldOf(entity, target.field) : undefined;
              const finders = field?.reference || field?.list ? findableBy(model, field) : [];
              return (
                <Table.Tr key={column}>
                  <Table.Td fw={500} dir="auto">
                    {column}
                  </Table.Td>
                  <Table.Td>
                    <span className={classes['sample']} dir="auto">
                      {upload.sample
                        .slice(0, 3)
                        .flatMap((row) => row[at] || [])
                        .join(' · ')}
                    </span>
                  </Table.Td>
                  <Table.Td>
                    <Select
                      size="xs"
                      w={210}
                      aria-label={`${t('import.target')}: ${column}`}
                      placeholder={t('import.skip')}
                      data={options}
                      value={target?.field ?? null}
                      onChange={(next) =>
                        setMapping((now) => ({ ...now, [column]: next ? goesTo(model, entity, next) : null }))
                      }
                      clearable
                      searchable
                    />
                  </Table.Td>
                  {finding ? (
                    <Table.Td>
                      {field?.reference && target ? (
                        <Select
                          size="xs"
                          w={140}
                          aria-label={`${t('import.by')}: ${column}`}
                          data={[
                            ...finders.map((each) => ({ value: each.key, label: each.label })),
                            { value: '', label: t('import.byTitle') },
                          ]}
                          value={target.by ?? ''}
                          onChange={(next) =>
                            setMapping((now) => ({
                              ...now,
                              [column]: next ? { field: target.field, by: next } : { field: target.field },
                            }))
                          }
                          allowDeselect={false}
                        />
                      ) : null}
                    </Table.Td>
                  ) : null}
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </ScrollFrame>
      {doubled.map((key) => (
        <Alert key={key} color="red" role="alert" icon={<Icon name="alert" />} p="sm">
          {t('import.duplicate', { label: label(key) })}
        </Alert>
      ))}
      {missing.length > 0 ? (
        <Alert color="yellow" icon={<Icon name="alert" />} p="sm">
          {t('import.missing', { fields: missing.map((field) => field.label).join(t('operator.comma')) })}
        </Alert>
      ) : null}
      {keys.length > 0 ? (
        <Radio.Group label={t('import.mode')} value={chosen ? upsertBy : ''} onChange={setUpsertBy}>
          <Stack gap={8} mt={8}>
            <Radio value="" label={t('import.modeCreate')} />
            {keys.map((key) => (
              <Radio
                key={key.join(',')}
                value={key.join(',')}
                label={t('import.modeUpsert', { fields: key.map(label).join(' + ') })}
              />
            ))}
          </Stack>
        </Radio.Group>
      ) : null}
      <Checkbox
        label={t('import.dryRun')}
        description={t('import.dryRunHelp')}
        checked={dryRun}
        onChange={(event) => setDryRun(event.currentTarget.checked)}
      />
      {entity.duplicates ? (
        <Checkbox
          label={t('import.look')}
          description={t('import.lookHelp')}
          checked={look}
          onChange={(event) => setLook(event.currentTarget.checked)}
        />
      ) : null}
      {refusal ? (
        <Alert color="red" role="alert" icon={<Icon name="alert" />}>
          {refusal}
        </Alert>
      ) : null}
      <div className={classes['footer']}>
        <Button variant="default" onClick={onBack}>
          {t('action.back')}
        </Button>
        <Button
          loading={busy}
          disabled={doubled.length > 0 || Object.values(mapping).every((target) => target === null)}
          onClick={() => void start()}
        >
          {t(dryRun ? 'import.startDry' : 'import.start')}
        </Button>
      </div>
    </Stack>
  );
}
