/** Gives a record to somebody else. The giver may not see it afterwards: then the list is where to go. */
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { ApiProblem } from '../api/problem.ts';
import { type Loaded, readRecord, runAction } from '../api/records.ts';
import { looseField } from '../api/sharing.ts';
import { navigate } from '../app/place.ts';
import { listPath } from '../app/route.ts';
import { isolated } from '../i18n/format.ts';
import { LookupInput } from '../inputs/lookup-input.tsx';
import { pickedOf } from '../inputs/picked.ts';
import { notify } from '../shared/notify.ts';
import { sentenceOf } from '../shared/states.tsx';
import { useForget } from './use-record.ts';

interface AssignDialogProps {
  readonly entity: UiEntity;
  readonly loaded: Loaded;
  readonly onClose: () => void;
}

export function AssignDialog({ entity, loaded, onClose }: AssignDialogProps) {
  const { t } = useTranslation();
  const forget = useForget();
  const [owner, setOwner] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const field = looseField(entity, t('sharing.newOwner'), 'core.user');
  const picked = pickedOf(owner);
  const { id } = loaded.record;

  const assign = async (event: FormEvent) => {
    event.preventDefault();
    if (!picked) return;
    setBusy(true);
    setRefusal(null);
    try {
      await runAction(entity, id, 'assign', { owner: picked.id }, loaded.etag);
    } catch (error) {
      setRefusal(sentenceOf(error, t));
      setBusy(false);
      return;
    }
    onClose();
    const stays = await readRecord(entity, id, 'id').then(
      () => true,
      (error: unknown) => !(error instanceof ApiProblem && error.status === 404),
    );
    if (!stays) await navigate(listPath(entity));
    await forget(entity, id);
    notify({ message: t('sharing.assigned', { name: isolated(picked._title ?? '') }), color: 'green' });
  };
  return (
    <Modal opened onClose={onClose} title={t('sharing.assign')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <form onSubmit={(event) => void assign(event)} noValidate>
        <Stack gap="md">
          <Text c="dimmed">{t('sharing.assignNext')}</Text>
          {refusal ? (
            <Alert color="red" role="alert">
              {refusal}
            </Alert>
          ) : null}
          {field ? (
            <LookupInput field={field} label={field.label} required first value={owner} onChange={setOwner} />
          ) : null}
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={busy} disabled={!picked}>
              {t('sharing.assignSubmit')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
