/** Title, state, the steps possible now, edit and delete. */
import { ActionIcon, Button, Group, Menu, Title } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { fieldOf } from '../api/model.ts';
import type { Loaded } from '../api/records.ts';
import { listPath } from '../app/route.ts';
import { writable } from '../form/wire.ts';
import { EntityIcon, Icon } from '../shared/icon.tsx';
import { Link } from '../shared/link.tsx';
import { notify } from '../shared/notify.ts';
import { FieldValue, textOf } from '../values/field-value.tsx';
import { AssignDialog } from './assign-dialog.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { DuplicatesDialog } from './duplicates.tsx';
import classes from './record.module.css';
import { ShareDialog } from './share-dialog.tsx';
import { Transitions } from './transitions.tsx';

export function RecordHead({
  entity,
  loaded,
  onEdit,
}: {
  readonly entity: UiEntity;
  readonly loaded: Loaded;
  readonly onEdit: () => void;
}) {
  const { t } = useTranslation();
  const [deleting, setDeleting] = useState(false);
  const [dialog, setDialog] = useState<'assign' | 'share' | 'duplicates' | null>(null);
  const { record } = loaded;
  const states = [...new Set(entity.transitions.map((transition) => transition.field))].flatMap(
    (key) => fieldOf(entity, key) ?? [],
  );
  const may = Array.isArray(record['_may']) ? record['_may'] : [];
  const editable = may.includes('update') && entity.fields.some((field) => writable(field, 'update'));
  const copy = async () => {
    await navigator.clipboard.writeText(window.location.href);
    notify({ message: t('record.copied') });
  };
  return (
    <header className={`${classes['head']} ${classes['tabbed']}`}>
      <nav className={classes['crumbs']}>
        <Link href={listPath(entity)}>{entity.pluralLabel}</Link>
      </nav>
      <div className={classes['titleRow']}>
        <span className={classes['icon']}>
          <EntityIcon name={entity.icon} label={entity.label} size={18} />
        </span>
        <Title order={1} className={classes['title'] ?? ''} dir="auto">
          {textOf(record['_title']) || '—'}
        </Title>
        {states.map((field) => (
          <FieldValue key={field.key} field={field} value={record[field.key]} />
        ))}
        <Group gap={6} wrap="nowrap" className={classes['actions'] ?? ''}>
          {editable ? (
            <Button variant="default" leftSection={<Icon name="edit" />} onClick={onEdit}>
              {t('action.edit')}
            </Button>
          ) : null}
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="default" size={36} aria-label={t('action.more')}>
                <Icon name="dots" size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<Icon name="link" />} onClick={() => void copy()}>
                {t('record.copyLink')}
              </Menu.Item>
              {may.includes('assign') ? (
                <Menu.Item leftSection={<Icon name="user" />} onClick={() => setDialog('assign')}>
                  {t('sharing.assign')}
                </Menu.Item>
              ) : null}
              {may.includes('share') ? (
                <Menu.Item leftSection={<Icon name="users" />} onClick={() => setDialog('share')}>
                  {t('sharing.share')}
                </Menu.Item>
              ) : null}
              {entity.duplicates ? (
                <Menu.Item leftSection={<Icon name="search" />} onClick={() => setDialog('duplicates')}>
                  {t('duplicates.find')}
                </Menu.Item>
              ) : null}
              {may.includes('delete') ? (
                <Menu.Item color="red" leftSection={<Icon name="trash" />} onClick={() => setDeleting(true)}>
                  {t('action.delete')}
                </Menu.Item>
              ) : null}
            </Menu.Dropdown>
          </Menu>
        </Group>
      </div>
      <Transitions entity={entity} loaded={loaded} />
      {dialog === 'assign' ? <AssignDialog entity={entity} loaded={loaded} onClose={() => setDialog(null)} /> : null}
      {dialog === 'share' ? <ShareDialog entity={entity} id={record.id} onClose={() => setDialog(null)} /> : null}
      {dialog === 'duplicates' ? (
        <DuplicatesDialog entity={entity} record={record} onClose={() => setDialog(null)} />
      ) : null}
      <DeleteDialog entity={entity} loaded={loaded} opened={deleting} onClose={() => setDeleting(false)} />
    </header>
  );
}
