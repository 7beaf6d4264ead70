/** The head of a page on which something is done with records of an entity: where it is, what it is, its buttons. */
import { Button, Group, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { navigate } from '../app/place.ts';
import { listPath } from '../app/route.ts';
import { EntityIcon } from '../shared/icon.tsx';
import { Link } from '../shared/link.tsx';
import classes from './record.module.css';

interface TaskHeadProps {
  readonly entity: UiEntity;
  readonly title: string;
  /** Where to go when it is not done after all. */
  readonly back: string;
  readonly busy: boolean;
  /** The button that does it. */
  readonly action: string;
  readonly onAction: () => void;
}

export function TaskHead({ entity, title, back, busy, action, onAction }: TaskHeadProps) {
  const { t } = useTranslation();
  return (
    <header className={classes['head']}>
      <nav className={classes['crumbs']}>
        <Link href={listPath(entity)}>{entity.pluralLabel}</Link>
      </nav>
      <div className={classes['titleRow']}>
        <span className={classes['icon']}>
          <EntityIcon name={entity.icon} label={entity.label} size={18} />
        </span>
        <Title order={1} className={classes['title'] ?? ''}>
          {title}
        </Title>
        <Group gap={8} wrap="nowrap" className={classes['actions'] ?? ''}>
          <Button variant="default" onClick={() => void navigate(back)}>
            {t('action.cancel')}
          </Button>
          <Button loading={busy} onClick={onAction}>
            {action}
          </Button>
        </Group>
      </div>
    </header>
  );
}
