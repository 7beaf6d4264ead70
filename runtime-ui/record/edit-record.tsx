/** Changing a record: only what changed is sent, with the version it was read at. */
import { Alert, Button, Group, Title } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { useModel } from '../api/model.ts';
import { ApiProblem } from '../api/problem.ts';
import { type Loaded, readRecord, selectOf, updateRecord } from '../api/records.ts';
import { listPath } from '../app/route.ts';
import { sectionsOf } from '../form/form-schema.ts';
import { RecordForm, type RecordFormHandle } from '../form/record-form.tsx';
import { toForm, toPatch, type Values } from '../form/wire.ts';
import { EntityIcon, Icon } from '../shared/icon.tsx';
import { Link } from '../shared/link.tsx';
import { notify } from '../shared/notify.ts';
import { textOf } from '../values/field-value.tsx';
import classes from './record.module.css';
import { UnsavedGuard } from './unsaved-guard.tsx';
import { useForget } from './use-record.ts';

export function EditRecord({
  entity,
  loaded,
  onDone,
}: {
  readonly entity: UiEntity;
  readonly loaded: Loaded;
  readonly onDone: () => void;
}) {
  const { t } = useTranslation();
  const model = useModel();
  const forget = useForget();
  const form = useRef<RecordFormHandle>(null);
  const fields = useMemo(() => sectionsOf(entity, 'update').flatMap((section) => section.fields), [entity]);
  // What is being edited stays what it was when editing began, whatever is fetched meanwhile.
  const [base, setBase] = useState(loaded);
  const before = useMemo(() => toForm(model, fields, base.record), [model, fields, base]);
  const [values, setValues] = useState<Values>(before);
  const [conflict, setConflict] = useState(false);
  const [busy, setBusy] = useState(false);
  const patch = useMemo(() => toPatch(model, fields, before, values), [model, fields, before, values]);
  const dirty = Object.keys(patch).length > 0;

  const save = async (next: Values, sending: (body: Values) => void) => {
    const body = toPatch(model, fields, before, next);
    if (Object.keys(body).length === 0) {
      onDone();
      return;
    }
    sending(body);
    setBusy(true);
    try {
      await updateRecord(entity, base.record.id, body, base.etag);
      await forget(entity, base.record.id);
      notify({ message: t('record.saved'), color: 'green' });
      onDone();
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 412) throw error;
      setConflict(true);
    } finally {
      setBusy(false);
    }
  };
  const newest = async (keep: boolean) => {
    if (!keep) {
      await forget(entity, base.record.id);
      onDone();
      return;
    }
    const latest = await readRecord(entity, base.record.id, selectOf(model, entity, entity.fields, ['version']));
    const theirs = toForm(model, fields, latest.record);
    const mine = fields
      .filter((field) => JSON.stringify(before[field.key]) !== JSON.stringify(values[field.key]))
      .map((field) => [field.key, values[field.key]]);
    setBase(latest);
    setValues({ ...theirs, ...Object.fromEntries(mine) });
    setConflict(false);
  };
  useHotkeys([['mod+S', () => form.current?.submit()]], []);
  return (
    <div className={classes['page']}>
      <header className={classes['head']}>
        <nav className={classes['crumbs']}>
          <Link href={listPath(entity)}>{entity.pluralLabel}</Link>
        </nav>
        <div className={classes['titleRow']}>
          <span className={classes['icon']}>
            <EntityIcon name={entity.icon} label={entity.label} size={18} />
          </span>
          <Title order={1} className={classes['title'] ?? ''} dir="auto">
            {textOf(base.record['_title'])}
          </Title>
          <Group gap={8} wrap="nowrap" className={classes['actions'] ?? ''}>
            <Button variant="default" onClick={onDone}>
              {t('action.cancel')}
            </Button>
            <Button loading={busy} onClick={() => form.current?.submit()}>
              {t('action.save')}
            </Button>
          </Group>
        </div>
      </header>
      <div className={classes['body']}>
        {conflict ? (
          <Alert color="orange" role="alert" mb="lg" icon={<Icon name="alert" />} title={t('record.conflict')}>
            {t('record.conflictNext')}
            <Group gap="sm" mt="sm">
              <Button size="xs" onClick={() => void newest(true)}>
                {t('record.keep')}
              </Button>
              <Button size="xs" variant="default" onClick={() => void newest(false)}>
                {t('record.drop')}
              </Button>
            </Group>
          </Alert>
        ) : null}
        <RecordForm
          ref={form}
          entity={entity}
          mode="update"
          values={values}
          stored={base.record}
          busy={busy}
          onChange={setValues}
          onSave={save}
        />
      </div>
      <UnsavedGuard active={dirty && !busy} />
    </div>
  );
}
