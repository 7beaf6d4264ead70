/** Why a list is empty, and what to do about it. */
import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { navigate } from '../app/place.ts';
import { listPath } from '../app/route.ts';
import { Icon } from '../shared/icon.tsx';
import { EmptyState } from '../shared/states.tsx';
import type { List } from './use-list.ts';

export function EmptyList({ list }: { readonly list: List }) {
  const { t } = useTranslation();
  const { entity } = list;
  const entities = entity.pluralLabel;
  if (list.narrowed || list.view.filtered) {
    return (
      <EmptyState icon="filter" title={t('list.noMatch', { entities })} next={t('list.noMatchNext')}>
        {list.narrowed ? (
          <Button variant="default" onClick={() => list.change({ search: '', filters: [] })}>
            {t('list.clearAll')}
          </Button>
        ) : null}
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon="inbox"
      title={t('list.emptyTitle', { entities })}
      next={t(entity.can.create ? 'list.emptyNext' : 'list.emptyNextReadOnly')}
    >
      {entity.can.create ? (
        <Button leftSection={<Icon name="plus" />} onClick={() => void navigate(`${listPath(entity)}/new`)}>
          {t('list.new', { entity: entity.label })}
        </Button>
      ) : null}
      {entity.can.import ? (
        <Button
          variant="default"
          leftSection={<Icon name="upload" />}
          onClick={() => void navigate(`${listPath(entity)}/import`)}
        >
          {t('list.import')}
        </Button>
      ) : null}
    </EmptyState>
  );
}
