import { Button, Menu } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { SCREEN_LOCALES } from '../i18n/i18n.ts';
import { Icon } from '../shared/icon.tsx';
import { useLanguage } from './language.ts';

export function LanguageMenu() {
  const { t } = useTranslation();
  const model = useModel();
  const language = useLanguage();
  const known = new Map<string, string>([...SCREEN_LOCALES, ...model.locales].map((each) => [each.key, each.label]));
  for (const each of SCREEN_LOCALES) known.set(each.key, each.label);
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="subtle" color="gray" px={8} leftSection={<Icon name="globe" />} aria-label={t('app.language')}>
          <span lang={language.locale}>{language.locale.slice(0, 2).toUpperCase()}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {[...known].map(([key, label]) => (
          <Menu.Item
            key={key}
            lang={key}
            onClick={() => language.change(key)}
            rightSection={key === language.locale ? <Icon name="check" /> : null}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
