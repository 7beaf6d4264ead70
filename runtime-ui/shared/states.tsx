/** Empty and error states: what it is, and the one thing to do next. */
import { Button, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '../api/problem.ts';
import { navigate } from '../app/place.ts';
import { problemText, problemTitle } from '../i18n/refusals.ts';
import { Icon, type IconName } from './icon.tsx';
import classes from './states.module.css';

export function EmptyState({
  icon,
  title,
  next,
  children,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly next: string;
  readonly children?: ReactNode;
}) {
  return (
    <Stack align="center" gap={6} className={classes['state']}>
      <span className={classes['icon']}>
        <Icon name={icon} size={22} />
      </span>
      <Title order={2} size="h4">
        {title}
      </Title>
      <Text c="dimmed" ta="center" maw={420}>
        {next}
      </Text>
      {children ? <div className={classes['actions']}>{children}</div> : null}
    </Stack>
  );
}

/** Any failure of a query, in words. */
export function ErrorState({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const { t } = useTranslation();
  const { title, next, retry } = describe(error, t);
  return (
    <div role="alert">
      <EmptyState icon="alert" title={title} next={next}>
        {retry && onRetry ? (
          <Button variant="default" onClick={onRetry}>
            {t('state.retry')}
          </Button>
        ) : (
          <Button variant="default" onClick={() => void navigate('/')}>
            {t('state.backToStart')}
          </Button>
        )}
      </EmptyState>
    </div>
  );
}

export function describe(error: unknown, t: (key: string) => string): { title: string; next: string; retry: boolean } {
  if (!(error instanceof ApiProblem)) return { title: t('state.failed'), next: t('state.failedNext'), retry: true };
  if (error.code === 'offline') return { title: t('state.offline'), next: t('state.offlineNext'), retry: true };
  if (error.status === 404) return { title: t('state.missing'), next: t('state.missingNext'), retry: false };
  if (error.status === 403)
    return { title: t('state.forbidden'), next: problemText(error) || t('state.forbiddenNext'), retry: false };
  if (error.status >= 500) return { title: t('state.failed'), next: t('state.failedNext'), retry: true };
  return {
    title: problemTitle(error) || t('state.failed'),
    next: problemText(error) || t('state.failedNext'),
    retry: true,
  };
}

/** The sentence to show in a toast or an alert. */
export function sentenceOf(error: unknown, t: (key: string) => string): string {
  if (error instanceof ApiProblem && error.code !== 'offline' && error.status < 500)
    return problemText(error) || problemTitle(error) || t('state.failedNext');
  const { title, next } = describe(error, t);
  return `${title}. ${next}`;
}
