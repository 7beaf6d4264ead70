/** The frame around every screen: navigation at the side, search and account at the top. */
import { ActionIcon, AppShell, Group, Tooltip, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { Icon } from '../shared/icon.tsx';
import { AccountMenu } from './account-menu.tsx';
import { LanguageMenu } from './language-menu.tsx';
import { Navigation } from './navigation.tsx';
import { QuickSearch } from './quick-search.tsx';
import classes from './shell.module.css';

const SHORTCUT = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K';

export function Shell({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation();
  const model = useModel();
  const [opened, navigation] = useDisclosure(false);
  const [searching, search] = useDisclosure(false);
  useHotkeys([
    ['mod+K', search.open],
    ['/', () => (focusListSearch() ? undefined : search.open())],
  ]);
  return (
    <AppShell
      layout="alt"
      header={{ height: 52 }}
      navbar={{ width: 232, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={0}
      transitionDuration={120}
    >
      <a className="skip-link" href="#content">
        {t('app.skip')}
      </a>
      <AppShell.Header className={classes['header'] ?? ''}>
        <Group h="100%" px="md" gap="sm" wrap="nowrap" justify="space-between">
          <ActionIcon
            hiddenFrom="sm"
            size="lg"
            onClick={navigation.toggle}
            aria-label={t(opened ? 'app.closeMenu' : 'app.openMenu')}
            aria-expanded={opened}
          >
            <Icon name={opened ? 'close' : 'list'} size={18} />
          </ActionIcon>
          <UnstyledButton className={classes['search']} onClick={search.open}>
            <Icon name="search" />
            <span className={classes['searchText']}>{t('search.open')}</span>
            <kbd className={classes['key']} dir="ltr">
              {SHORTCUT}
            </kbd>
          </UnstyledButton>
          <Group gap={4} wrap="nowrap">
            <LanguageMenu />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes['navbar'] ?? ''} aria-label={t('app.navigation')}>
        <div className={classes['tenant']}>
          <span className={classes['mark']} aria-hidden="true">
            {Array.from(model.tenant.name)[0]}
          </span>
          <span className={classes['tenantName']}>{model.tenant.name}</span>
          <Tooltip label={t('app.closeMenu')}>
            <ActionIcon hiddenFrom="sm" onClick={navigation.close} aria-label={t('app.closeMenu')}>
              <Icon name="close" />
            </ActionIcon>
          </Tooltip>
        </div>
        <Navigation onFollow={navigation.close} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes['main'] ?? ''}>
        {children}
      </AppShell.Main>
      <QuickSearch opened={searching} onClose={search.close} />
    </AppShell>
  );
}

/** "/" goes to the search of the list when one is on the page. */
function focusListSearch(): boolean {
  const input = document.querySelector<HTMLInputElement>('input[data-list-search]');
  input?.focus();
  return input !== null;
}
