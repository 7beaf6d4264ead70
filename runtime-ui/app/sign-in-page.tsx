/** Who are you? */
import { Alert, Button, PasswordInput, Select, Stack, Text, TextInput, Title, UnstyledButton } from '@mantine/core';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '../api/problem.ts';
import { type Organisation, organisationsOf, signIn } from '../api/session.ts';
import { SCREEN_LOCALES } from '../i18n/i18n.ts';
import { Icon } from '../shared/icon.tsx';
import { sentenceOf } from '../shared/states.tsx';
import markAddress from '../theme/mark.svg';
import { useLanguage } from './language.ts';
import classes from './sign-in-page.module.css';

export function SignInPage({ onSignedIn }: { readonly onSignedIn: () => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [organisations, setOrganisations] = useState<readonly Organisation[]>([]);
  const [organisation, setOrganisation] = useState<string | null>(null);
  const [message, setMessage] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setMessage(null);
    try {
      await signIn(email, password, organisation);
      onSignedIn();
    } catch (error) {
      const choice = organisationsOf(error);
      if (choice) {
        setOrganisations(choice);
        setOrganisation(choice[0]?.key ?? null);
        setMessage(t('signIn.chooseOrganisation'));
      } else {
        setMessage(error instanceof ApiProblem && error.status === 401 ? t('signIn.wrong') : sentenceOf(error, t));
      }
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className={classes['page']}>
      <form className={classes['card']} onSubmit={(event) => void submit(event)}>
        <img src={markAddress} alt="" width={36} height={36} />
        <Stack gap={2} mt="md" mb="lg">
          <Title order={1}>{t('signIn.title')}</Title>
          <Text c="dimmed">{t('signIn.intro')}</Text>
        </Stack>
        <Stack gap="md">
          {message ? (
            <Alert color={organisations.length > 0 ? 'accent' : 'red'} role="alert" icon={<Icon name="alert" />} p="sm">
              {message}
            </Alert>
          ) : null}
          <TextInput
            label={t('signIn.email')}
            type="email"
            dir="ltr"
            labelProps={{ dir: 'auto' }}
            autoComplete="username"
            required
            withAsterisk={false}
            ref={first}
            size="md"
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label={t('signIn.password')}
            dir="ltr"
            autoComplete="current-password"
            required
            withAsterisk={false}
            size="md"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': t('signIn.show') }}
          />
          {organisations.length > 0 ? (
            <Select
              label={t('signIn.organisation')}
              size="md"
              data={organisations.map((each) => ({ value: each.key, label: each.name }))}
              value={organisation}
              onChange={setOrganisation}
              allowDeselect={false}
            />
          ) : null}
          <Button type="submit" size="md" loading={busy} fullWidth>
            {t('signIn.submit')}
          </Button>
        </Stack>
      </form>
      <div className={classes['languages']}>
        {SCREEN_LOCALES.map((each) => (
          <UnstyledButton
            key={each.key}
            lang={each.key}
            aria-pressed={each.key === language.locale}
            className={classes['language'] ?? ''}
            onClick={() => language.change(each.key)}
          >
            {each.label}
          </UnstyledButton>
        ))}
      </div>
    </main>
  );
}
