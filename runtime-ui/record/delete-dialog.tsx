/** Asks before deleting; where a record can come back, the toast afterwards undoes it. */
import { Alert, Button, Group, Modal, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { fieldOf } from '../api/model.ts';
import { deleteRecord, type Loaded, runAction } from '../api/records.ts';
import { navigate } from '../app/place.ts';
import { listPath, recordPath } from '../app/route.ts';
import { isolated } from '../i18n/format.ts';
import { sentenceOf } from '../shared/states.tsx';
import { notify, unnotify } from '../shared/notify.ts';
import { textOf } from '../values/field-value.tsx';
import { useForget } from './use-record.ts';

const UNDO_MS = 10_000;

interface DeleteDialogProps {
  readonly entity: UiEntity;
  readonly loaded: Loaded;
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function DeleteDialog({ entity, loaded, opened, onClose }: DeleteDialogProps) {
  const { t } = useTranslation();
  const forget = useForget();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const { record, etag } = loaded;
  const title = isolated(textOf(record['_title']));
  // Entities that keep deleted records have this field; the others delete for good.
  const restorable = fieldOf(entity, 'deleted_at') !== undefined;

  const restore = async (toast: string) => {
    unnotify(toast);
    try {
      await runAction(entity, record.id, 'restore', {}, null);
      await forget(entity, record.id);
      notify({ message: t('record.restored', { title }), color: 'green' });
      await navigate(recordPath(entity, record.id));
    } catch (error) {
      notify({ message: sentenceOf(error, t), color: 'red' });
    }
  };
  const remove = async () => {
    setBusy(true);
    setRefusal(null);
    try {
      await deleteRecord(entity, record.id, etag);
    } catch (error) {
      setRefusal(sentenceOf(error, t));
      setBusy(false);
      return;
    }
    onClose();
    await navigate(listPath(entity));
    await forget(entity, record.id);
    const toast = `deleted-${record.id}`;
    notify({
      id: toast,
      autoClose: UNDO_MS,
      message: (
        <Group justify="space-between" wrap="nowrap" gap="sm">
          <span>{t('record.deleted', { title })}</span>
          {restorable ? (
            <Button variant="subtle" size="compact-sm" onClick={() => void restore(toast)}>
              {t('action.undo')}
            </Button>
          ) : null}
        </Group>
      ),
    });
  };
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('record.deleteTitle', { title })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Text mb="md">{t(restorable ? 'record.deleteSoft' : 'record.deleteHard')}</Text>
      {refusal ? (
        <Alert color="red" role="alert" mb="md">
          {refusal}
        </Alert>
      ) : null}
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('action.cancel')}
        </Button>
        <Button color="red" loading={busy} onClick={() => void remove()}>
          {t('action.delete')}
        </Button>
      </Group>
    </Modal>
  );
}
