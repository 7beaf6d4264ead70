/** The steps of the lifecycle that are possible now, as the record says. A step that needs values asks for them. */
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity, UiField } from '../../engine/api/ui-model.ts';
import { fieldOf, useModel } from '../api/model.ts';
import { ApiProblem, type ProblemDetail } from '../api/problem.ts';
import { type Loaded, runAction } from '../api/records.ts';
import { toForm, toWire, type Values } from '../form/wire.ts';
import { detailText } from '../i18n/refusals.ts';
import { FieldInput } from '../inputs/field-input.tsx';
import { Icon } from '../shared/icon.tsx';
import { sentenceOf } from '../shared/states.tsx';
import { notify } from '../shared/notify.ts';
import classes from './record.module.css';
import { useForget } from './use-record.ts';

type Transition = UiEntity['transitions'][number];

export function Transitions({ entity, loaded }: { readonly entity: UiEntity; readonly loaded: Loaded }) {
  const { t } = useTranslation();
  const forget = useForget();
  const [asking, setAsking] = useState<Transition | null>(null);
  const [refusal, setRefusal] = useState<unknown>(null);
  const [running, setRunning] = useState<string | null>(null);
  const { record, etag } = loaded;
  const possible: unknown = record['_actions'];
  const offered = entity.transitions.filter(
    (transition) => Array.isArray(possible) && possible.includes(transition.key),
  );
  if (offered.length === 0) return null;

  const run = async (transition: Transition, values: Values) => {
    setRunning(transition.key);
    setRefusal(null);
    try {
      await runAction(entity, record.id, transition.key, values, etag);
      setAsking(null);
      await forget(entity, record.id);
      notify({ message: t('record.transitionDone', { label: transition.label }), color: 'green' });
    } catch (error) {
      setRefusal(error);
      setAsking(transition);
    } finally {
      setRunning(null);
    }
  };
  const start = (transition: Transition) => {
    setRefusal(null);
    if (missing(entity, transition, record).length > 0) setAsking(transition);
    else void run(transition, {});
  };
  return (
    <div className={classes['steps']}>
      {offered.map((transition, at) => (
        <Button
          key={transition.key}
          variant={at === 0 ? 'light' : 'default'}
          loading={running === transition.key && !asking}
          disabled={running !== null}
          onClick={() => start(transition)}
        >
          {transition.label}
        </Button>
      ))}
      <Modal
        opened={asking !== null}
        onClose={() => setAsking(null)}
        title={asking?.label}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        {asking ? (
          <TransitionForm
            key={asking.key}
            entity={entity}
            transition={asking}
            record={record}
            refusal={refusal}
            busy={running !== null}
            onRun={(values) => void run(asking, values)}
            onClose={() => setAsking(null)}
            onReload={() => {
              setAsking(null);
              void forget(entity, record.id);
            }}
          />
        ) : null}
      </Modal>
    </div>
  );
}

interface TransitionFormProps {
  readonly entity: UiEntity;
  readonly transition: Transition;
  readonly record: Values;
  readonly refusal: unknown;
  readonly busy: boolean;
  readonly onRun: (values: Values) => void;
  readonly onClose: () => void;
  readonly onReload: () => void;
}

/** What is wrong with a field, `null` when nothing is. */
function errorAt(errors: readonly ProblemDetail[], { key }: UiField): string | null {
  const error = errors.find(({ pointer }) => pointer === `/${key}`);
  return error ? detailText(error) : null;
}

function TransitionForm({ entity, transition, record, refusal, busy, onRun, onClose, onReload }: TransitionFormProps) {
  const { t } = useTranslation();
  const model = useModel();
  const named = refusal instanceof ApiProblem ? refusal.errors : [];
  // Besides what is missing, whatever the refusal points at can be corrected here.
  const fields = entity.fields.filter(
    (field) =>
      field.schema !== null &&
      (missing(entity, transition, record).includes(field) || named.some((error) => error.pointer === `/${field.key}`)),
  );
  const [values, setValues] = useState<Values>(() =>
    toForm(
      model,
      entity.fields.filter((field) => !field.list && field.schema !== null),
      record,
    ),
  );
  const conflict = refusal instanceof ApiProblem && refusal.status === 412;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onRun(
      toWire(
        model,
        fields.map((field) => ({ ...field, onUpdate: true })),
        'update',
        values,
      ),
    );
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        {refusal ? (
          <Alert
            color="red"
            role="alert"
            icon={<Icon name="alert" />}
            title={t(conflict ? 'record.conflict' : 'record.refused')}
          >
            {conflict
              ? t('record.conflictAction')
              : named.map((error) => detailText(error)).join(' ') || sentenceOf(refusal, t)}
          </Alert>
        ) : null}
        {fields.length > 0 ? <Text c="dimmed">{t('record.transitionNeeds')}</Text> : null}
        {fields.map((field, at) => (
          <FieldInput
            key={field.key}
            field={field}
            label={field.label}
            description={field.help}
            required
            first={at === 0}
            error={errorAt(named, field)}
            value={values[field.key]}
            onChange={(next) => setValues((now) => ({ ...now, [field.key]: next }))}
          />
        ))}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          {conflict ? (
            <Button onClick={onReload}>{t('record.reload')}</Button>
          ) : (
            <Button type="submit" loading={busy}>
              {transition.label}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

/** Fields the step requires and the record lacks. */
function missing(entity: UiEntity, transition: Transition, record: Values): readonly UiField[] {
  return transition.requires.flatMap((key) => {
    const field = fieldOf(entity, key);
    const value = record[key];
    const empty = value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
    return field && empty ? [field] : [];
  });
}
