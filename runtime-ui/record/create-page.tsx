/** A new record; fields may be filled from the address: `/crm/contacts/new?account=…`. */
import { Text } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { fieldOf, useModel } from '../api/model.ts';
import { ApiProblem, isObject } from '../api/problem.ts';
import { createRecord, readRecord } from '../api/records.ts';
import { navigate } from '../app/place.ts';
import { listPath, recordPath } from '../app/route.ts';
import { sectionsOf } from '../form/form-schema.ts';
import { RecordForm, type RecordFormHandle } from '../form/record-form.tsx';
import { blank, toWire, type Values } from '../form/wire.ts';
import { pickedOf } from '../inputs/picked.ts';
import { notify } from '../shared/notify.ts';
import { textOf } from '../values/field-value.tsx';
import { DuplicateWarning } from './duplicates.tsx';
import { prefillOf, targetOf } from './prefill.ts';
import classes from './record.module.css';
import { TaskHead } from './task-head.tsx';
import { UnsavedGuard } from './unsaved-guard.tsx';
import { useForget } from './use-record.ts';

const NOTHING: Values = {};

export function CreatePage({ entity, search }: { readonly entity: UiEntity; readonly search: string }) {
  const { t } = useTranslation();
  const model = useModel();
  const forget = useForget();
  const form = useRef<RecordFormHandle>(null);
  const warned = useRef(false);
  const prefill = useMemo(() => prefillOf(entity, search), [entity, search]);
  const [touched, setTouched] = useState(false);
  const [busy, setBusy] = useState(false);
  const fields = useMemo(() => sectionsOf(entity, 'create').flatMap((section) => section.fields), [entity]);
  const [values, setValues] = useState<Values>(() => ({ ...blank(model, fields), ...prefill }));

  // The address holds only ids: the titles of the records it names are fetched.
  const named = Object.entries(prefill).flatMap(([key, value]) => {
    const target = targetOf(model, fieldOf(entity, key), value);
    const picked = pickedOf(value);
    return target && picked ? [{ key, id: picked.id, target }] : [];
  });
  const titles = useQueries({
    queries: named.map(({ id, target }) => ({
      queryKey: ['title', target.url, id],
      queryFn: async () => textOf((await readRecord(target, id, 'id,_title')).record['_title']),
    })),
  });
  const titled = named.flatMap(({ key, id }, at) => {
    const value = values[key];
    const picked = pickedOf(value);
    const title = titles[at]?.data;
    return isObject(value) && picked?.id === id && picked._title === undefined && title
      ? [[key, { ...value, _title: title }]]
      : [];
  });
  const shown: Values = titled.length > 0 ? { ...values, ...Object.fromEntries(titled) } : values;

  const save = async (next: Values, sending: (body: Values) => void) => {
    setBusy(true);
    try {
      const body = toWire(model, fields, 'create', next);
      sending(body);
      const record = await createRecord(entity, body, warned.current);
      warned.current = false;
      setTouched(false);
      await forget(entity, null);
      notify({ message: t('record.created_toast', { entity: entity.label }), color: 'green' });
      await navigate(recordPath(entity, record.id), { replace: true, force: true });
    } catch (error) {
      // Told once, to create it again is to mean it.
      warned.current ||= error instanceof ApiProblem && error.code === 'possible_duplicate';
      throw error;
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className={classes['page']}>
      <TaskHead
        entity={entity}
        title={t('record.newTitle', { entity: entity.label })}
        back={listPath(entity)}
        busy={busy}
        action={t('record.create')}
        onAction={() => form.current?.submit()}
      />
      <div className={classes['body']}>
        <DuplicateWarning entity={entity} draft={touched ? toWire(model, fields, 'create', shown) : NOTHING} />
        {fields.length === 0 ? (
          <Text c="dimmed">{t('record.noForm')}</Text>
        ) : (
          <RecordForm
            ref={form}
            entity={entity}
            mode="create"
            values={shown}
            stored={NOTHING}
            busy={busy}
            onChange={(next) => {
              setValues(next);
              setTouched(true);
            }}
            onSave={save}
          />
        )}
      </div>
      <UnsavedGuard active={touched && !busy} />
    </div>
  );
}
