/** Who has access to a record, and why; sharing it, and ending that. */
import {
  ActionIcon,
  Alert,
  Button,
  Divider,
  Group,
  Modal,
  SegmentedControl,
  Skeleton,
  Stack,
  Text,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { type Access, endShare, looseField, readAccess, type Share, shareRecord } from '../api/sharing.ts';
import { isolated, useFormat } from '../i18n/format.ts';
import { DateTimeField } from '../inputs/date-inputs.tsx';
import { LookupInput } from '../inputs/lookup-input.tsx';
import { pickedOf } from '../inputs/picked.ts';
import { PlainInput } from '../inputs/text-inputs.tsx';
import { Icon } from '../shared/icon.tsx';
import { ErrorState, sentenceOf } from '../shared/states.tsx';
import { textOf } from '../values/field-value.tsx';
import { Initials } from '../values/person.tsx';
import classes from './record.module.css';

interface ShareDialogProps {
  readonly entity: UiEntity;
  readonly id: string;
  readonly onClose: () => void;
}

export function ShareDialog({ entity, id, onClose }: ShareDialogProps) {
  const { t } = useTranslation();
  const [refusal, setRefusal] = useState<string | null>(null);
  const access = useQuery({
    queryKey: ['access', entity.url, id],
    queryFn: ({ signal }) => readAccess(entity, id, signal),
    staleTime: 0,
  });
  const end = async (share: Share) => {
    setRefusal(null);
    await endShare(entity, id, share.id).catch((error: unknown) => setRefusal(sentenceOf(error, t)));
    await access.refetch();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t('sharing.share')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Stack gap="lg">
        <ShareForm entity={entity} id={id} onShared={() => void access.refetch()} />
        <Divider />
        {refusal ? (
          <Alert color="red" role="alert">
            {refusal}
          </Alert>
        ) : null}
        {access.isError ? (
          <ErrorState error={access.error} onRetry={() => void access.refetch()} />
        ) : access.data ? (
          <AccessList access={access.data} onEnd={(share) => void end(share)} />
        ) : (
          <Skeleton h={90} />
        )}
      </Stack>
    </Modal>
  );
}

function ShareForm({
  entity,
  id,
  onShared,
}: {
  readonly entity: UiEntity;
  readonly id: string;
  readonly onShared: () => void;
}) {
  const { t } = useTranslation();
  const [kind, setKind] = useState('user');
  const [level, setLevel] = useState('read');
  const [who, setWho] = useState<unknown>();
  const [reason, setReason] = useState<unknown>();
  const [until, setUntil] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const label = t(kind === 'user' ? 'sharing.person' : 'sharing.team');
  const target = looseField(entity, label, kind === 'user' ? 'core.user' : 'core.team');
  const plain = looseField(entity, '', null);
  const picked = pickedOf(who);

  const share = async (event: FormEvent) => {
    event.preventDefault();
    if (!picked) return;
    setBusy(true);
    setRefusal(null);
    try {
      await shareRecord(entity, id, {
        [kind]: picked.id,
        level,
        reason: textOf(reason) || undefined,
        until: textOf(until) || undefined,
      });
      setWho(undefined);
      setReason(undefined);
      setUntil(undefined);
      onShared();
    } catch (error) {
      setRefusal(sentenceOf(error, t));
    } finally {
      setBusy(false);
    }
  };
  if (!target || !plain) return null;
  return (
    <form onSubmit={(event) => void share(event)} noValidate>
      <Stack gap="sm">
        {refusal ? (
          <Alert color="red" role="alert">
            {refusal}
          </Alert>
        ) : null}
        <Group gap="sm">
          <SegmentedControl
            aria-label={t('sharing.with')}
            value={kind}
            onChange={(next) => {
              setKind(next);
              setWho(undefined);
            }}
            data={[
              { value: 'user', label: t('sharing.person') },
              { value: 'team', label: t('sharing.team') },
            ]}
          />
          <SegmentedControl
            aria-label={t('sharing.level')}
            value={level}
            onChange={setLevel}
            data={[
              { value: 'read', label: t('sharing.read') },
              { value: 'write', label: t('sharing.write') },
            ]}
          />
        </Group>
        <LookupInput key={kind} field={target} label={label} required first value={who} onChange={setWho} />
        <Group gap="sm" grow align="flex-start">
          <PlainInput
            field={{ ...plain, label: t('sharing.reason') }}
            label={t('sharing.reason')}
            value={reason}
            onChange={setReason}
          />
          <DateTimeField
            field={{ ...plain, label: t('sharing.until') }}
            label={t('sharing.until')}
            value={until}
            onChange={setUntil}
          />
        </Group>
        <Group justify="flex-end">
          <Button type="submit" loading={busy} disabled={!picked}>
            {t('sharing.shareSubmit')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function AccessList({ access, onEnd }: { readonly access: Access; readonly onEnd: (share: Share) => void }) {
  const { t } = useTranslation();
  const live = access.shares.filter(({ state }) => state === 'live');
  const past = access.shares.filter(({ state }) => state !== 'live');
  return (
    <section aria-label={t('sharing.access')}>
      <Text fw={600} mb={6}>
        {t('sharing.access')}
      </Text>
      <ul className={classes['access']}>
        {access.owner ? (
          <li>
            <Initials name={access.owner.name ?? '?'} />
            <span className={classes['accessWho']} dir="auto">
              {access.owner.name ?? t('value.unknown')}
            </span>
            <span className={classes['accessWhy']}>{t('sharing.owner')}</span>
          </li>
        ) : null}
        {live.map((share) => (
          <ShareRow key={share.id} share={share} onEnd={() => onEnd(share)} />
        ))}
        {access.roles.map((role) => (
          <li key={role.role}>
            <Icon name="shield" />
            <span className={classes['accessWho']}>{role.label}</span>
            <span className={classes['accessWhy']}>
              {t(role.read === 'all' ? 'sharing.roleAll' : 'sharing.roleSome')}
              {' · '}
              {t(role.write === null ? 'sharing.read' : 'sharing.write')}
            </span>
          </li>
        ))}
      </ul>
      {past.length > 0 ? (
        <>
          <Text fw={600} mt="md" mb={6}>
            {t('sharing.past')}
          </Text>
          <ul className={classes['access']}>
            {past.slice(0, 10).map((share) => (
              <ShareRow key={share.id} share={share} onEnd={null} />
            ))}
          </ul>
        </>
      ) : null}
    </section>
  );
}

function ShareRow({ share, onEnd }: { readonly share: Share; readonly onEnd: (() => void) | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  const name = (share.user ?? share.team)?.name ?? t('value.unknown');
  const why = [
    t(share.level === 'read' ? 'sharing.read' : 'sharing.write'),
    share.created_by?.name ? t('sharing.by', { name: isolated(share.created_by.name) }) : null,
    share.state === 'live'
      ? share.until && t('sharing.endsAt', { at: format.datetime(share.until) })
      : t(share.state === 'expired' ? 'sharing.expired' : 'sharing.ended'),
    share.reason && isolated(share.reason),
  ].filter(Boolean);
  return (
    <li>
      {share.team ? <Icon name="users" /> : <Initials name={name} />}
      <span className={classes['accessWho']} dir="auto">
        {name}
      </span>
      <span className={classes['accessWhy']}>{why.join(' · ')}</span>
      {onEnd ? (
        <ActionIcon variant="subtle" color="gray" aria-label={t('sharing.end', { name })} onClick={onEnd}>
          <Icon name="close" size={16} />
        </ActionIcon>
      ) : null}
    </li>
  );
}
