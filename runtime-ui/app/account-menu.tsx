import { ActionIcon, Menu, Text, useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { signOut } from '../api/session.ts';
import { Icon } from '../shared/icon.tsx';
import { Initials } from '../values/person.tsx';
import { navigate } from './place.ts';

const SCHEMES = [
  { key: 'light', text: 'app.light' },
  { key: 'dark', text: 'app.dark' },
  { key: 'auto', text: 'app.system' },
] as const;

export function AccountMenu() {
  const { t } = useTranslation();
  const { user } = useModel();
  const client = useQueryClient();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = async () => {
    await signOut().catch(() => undefined);
    await navigate('/');
    client.clear();
    client.setQueryData(['session'], false);
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon size="lg" radius="xl" aria-label={`${t('app.account')}: ${user.name}`}>
          <Initials name={user.name} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)" truncate>
            {user.name}
          </Text>
          <Text size="xs" c="dimmed" truncate dir="ltr" ta="start">
            {user.email}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Label>{t('app.theme')}</Menu.Label>
        {SCHEMES.map((scheme) => (
          <Menu.Item
            key={scheme.key}
            closeMenuOnClick={false}
            onClick={() => setColorScheme(scheme.key)}
            rightSection={colorScheme === scheme.key ? <Icon name="check" /> : null}
          >
            {t(scheme.text)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="signout" />} onClick={() => void leave()}>
          {t('app.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
