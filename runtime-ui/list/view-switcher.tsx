import { Button, Menu } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Icon } from '../shared/icon.tsx';
import type { List } from './use-list.ts';

/** Which stored view the list shows. Search and filters stay, the order is the view's. */
export function ViewSwitcher({ list }: { readonly list: List }) {
  const { t } = useTranslation();
  if (list.views.length < 2) return null;
  return (
    <Menu position="bottom-start" width={240}>
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<Icon name="list" />}
          aria-label={`${t('list.view')}: ${list.view.label}`}
        >
          {list.view.label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('list.view')}</Menu.Label>
        {list.views.map((view) => (
          <Menu.Item
            key={view.key}
            onClick={() => list.change({ view: view.key, order: [] })}
            rightSection={view === list.view ? <Icon name="check" /> : null}
          >
            {view.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
