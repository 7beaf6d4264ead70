/** Asks before unsaved changes are lost. */
import { Button, Group, Modal, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { guardPlace } from '../app/place.ts';

export function UnsavedGuard({ active }: { readonly active: boolean }) {
  const { t } = useTranslation();
  const [answer, setAnswer] = useState<((leave: boolean) => void) | null>(null);
  useEffect(() => {
    if (!active) return undefined;
    const release = guardPlace(() => new Promise((resolve) => setAnswer(() => resolve)));
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => {
      release();
      window.removeEventListener('beforeunload', warn);
    };
  }, [active]);
  const decide = (leave: boolean) => {
    answer?.(leave);
    setAnswer(null);
  };
  return (
    <Modal
      opened={answer !== null}
      onClose={() => decide(false)}
      title={t('record.unsaved')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Text mb="lg">{t('record.unsavedNext')}</Text>
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={() => decide(true)}>
          {t('record.leave')}
        </Button>
        <Button onClick={() => decide(false)} data-autofocus>
          {t('record.stay')}
        </Button>
      </Group>
    </Modal>
  );
}
