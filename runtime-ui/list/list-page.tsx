/** A list of records: which, in which order, and what may be done with them. */
import { ActionIcon, Button, Group, Skeleton, Title } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { navigate } from '../app/place.ts';
import { listPath } from '../app/route.ts';
import { useFormat } from '../i18n/format.ts';
import { EntityIcon, Icon } from '../shared/icon.tsx';
import { CardList } from './card-list.tsx';
import { ExportMenu } from './export-menu.tsx';
import { FilterBar } from './filter-bar.tsx';
import classes from './list-page.module.css';
import { SearchBox } from './search-box.tsx';
import { useList } from './use-list.ts';
import { ViewSwitcher } from './view-switcher.tsx';

const Grid = lazy(() => import('./grid.tsx').then((module) => ({ default: module.Grid })));

export interface Count {
  readonly value: number;
  /** Whether there are more than that. */
  readonly more: boolean;
}

export function ListPage({ entity }: { readonly entity: UiEntity }) {
  const { t } = useTranslation();
  const list = useList(entity);
  const [count, setCount] = useState<Count | null>(null);
  const phone = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  return (
    <div className={classes['page']}>
      <header className={classes['head']}>
        <Group gap={10} wrap="nowrap" miw={0}>
          <span className={classes['icon']}>
            <EntityIcon name={entity.icon} label={entity.label} size={18} />
          </span>
          <Title order={1} size="h2" className={classes['title'] ?? ''}>
            {entity.pluralLabel}
          </Title>
          <CountText count={count} />
        </Group>
        <Group gap={8} wrap="nowrap">
          {entity.bin ? (
            <ActionIcon
              variant="default"
              size={36}
              aria-label={t('bin.open')}
              title={t('bin.open')}
              onClick={() => void navigate(`${listPath(entity)}/bin`)}
            >
              <Icon name="trash" />
            </ActionIcon>
          ) : null}
          {entity.can.export ? <ExportMenu list={list} /> : null}
          {entity.can.import ? (
            <Button
              variant="default"
              leftSection={<Icon name="upload" />}
              onClick={() => void navigate(`${listPath(entity)}/import`)}
              visibleFrom="sm"
            >
              {t('list.import')}
            </Button>
          ) : null}
          {entity.can.create ? (
            <Button
              leftSection={<Icon name="plus" />}
              onClick={() => void navigate(`${listPath(entity)}/new`)}
              aria-label={t('list.new', { entity: entity.label })}
            >
              {phone ? t('list.newShort') : t('list.new', { entity: entity.label })}
            </Button>
          ) : null}
        </Group>
      </header>
      <div className={classes['tools']}>
        <ViewSwitcher list={list} />
        <SearchBox
          key={entity.name}
          label={t('list.search', { entities: entity.pluralLabel })}
          value={list.query.search}
          onChange={(search) => list.change({ search })}
        />
        <FilterBar list={list} />
      </div>
      {phone ? (
        <CardList list={list} onCount={setCount} />
      ) : (
        <Suspense fallback={<Skeleton m="lg" h={240} />}>
          <Grid key={`${entity.name} ${list.view.key}`} list={list} onCount={setCount} />
        </Suspense>
      )}
    </div>
  );
}

function CountText({ count }: { readonly count: Count | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  const text = count
    ? t(count.more ? 'list.countMore' : 'list.count', { count: count.value, value: format.integer(count.value) })
    : '';
  return <output className={classes['count']}>{text}</output>;
}
