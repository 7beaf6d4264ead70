/** Providers, and the order of things: language, session, model, screens. */
import { DirectionProvider, localStorageColorSchemeManager, MantineProvider, useDirection } from '@mantine/core';
import { DatesProvider } from '@mantine/dates';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from '@tanstack/react-query';
import 'dayjs/locale/ar-ly.js';
import 'dayjs/locale/de.js';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { onSessionLost } from '../api/client.ts';
import { ModelContext, readModel } from '../api/model.ts';
import { ApiProblem } from '../api/problem.ts';
import { readSession } from '../api/session.ts';
import { createFormat, FormatContext } from '../i18n/format.ts';
import { directionOf, speak, storedLocale } from '../i18n/i18n.ts';
import { regional } from '../i18n/languages.ts';
import { nonce } from '../shared/nonce.ts';
import { ErrorState } from '../shared/states.tsx';
import { theme } from '../theme/theme.ts';
import { Boundary } from './boundary.tsx';
import { LanguageContext } from './language.ts';
import { readMark } from './live.ts';
import { Screens } from './screens.tsx';
import { ShellSkeleton } from './shell-skeleton.tsx';
import { SignInPage } from './sign-in-page.tsx';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (count, error) =>
        count < 2 && (!(error instanceof ApiProblem) || error.status >= 500 || error.status === 0),
    },
  },
});
const schemes = localStorageColorSchemeManager({ key: 'armature.colours' });

export function App() {
  return (
    <DirectionProvider initialDirection={directionOf(storedLocale())} detectDirection={false}>
      <MantineProvider
        theme={theme}
        getStyleNonce={() => nonce}
        colorSchemeManager={schemes}
        defaultColorScheme="light"
      >
        <Boundary>
          <QueryClientProvider client={queries}>
            <Language />
          </QueryClientProvider>
        </Boundary>
      </MantineProvider>
    </DirectionProvider>
  );
}

function Language() {
  const [locale, setLocale] = useState(storedLocale);
  const { setDirection } = useDirection();
  const change = useCallback(
    (next: string) => {
      void speak(next).then(() => {
        setDirection(directionOf(next));
        setLocale(next);
      });
    },
    [setDirection],
  );
  const language = useMemo(() => ({ locale, change }), [locale, change]);
  return (
    <LanguageContext value={language}>
      <DatesProvider settings={{ locale: datesIn(locale), firstDayOfWeek: 1, consistentWeeks: true }}>
        <Notifications position="bottom-right" limit={3} autoClose={7000} />
        <Gate locale={locale} />
      </DatesProvider>
    </LanguageContext>
  );
}

/** The calendars' own names of languages. */
function datesIn(locale: string): string {
  if (locale.startsWith('ar')) return 'ar-ly';
  return locale.startsWith('de') ? 'de' : 'en';
}

/** Nobody sees a screen before it is known who they are and what they may see. */
function Gate({ locale }: { readonly locale: string }) {
  const client = useQueryClient();
  const session = useQuery({
    queryKey: ['session'],
    queryFn: ({ signal }) => readSession(signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const model = useQuery({
    queryKey: ['model', locale],
    enabled: session.data === true,
    queryFn: ({ signal }) => readModel(locale, signal),
    staleTime: 60_000,
    placeholderData: (previous) => previous,
  });
  const mark = useQuery({
    queryKey: ['mark'],
    enabled: session.data === true,
    queryFn: ({ signal }) => readMark(signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  useEffect(
    () =>
      onSessionLost(() => {
        client.setQueryData(['session'], false);
      }),
    [client],
  );
  const format = useMemo(
    () => createFormat(regional(locale), model.data?.tenant.timeZone ?? 'UTC'),
    [locale, model.data?.tenant.timeZone],
  );
  if (session.isError) return <ErrorState error={session.error} onRetry={() => void session.refetch()} />;
  if (session.data === false) return <SignInPage onSignedIn={() => void client.resetQueries()} />;
  if (model.isError && !model.data) return <ErrorState error={model.error} onRetry={() => void model.refetch()} />;
  if (!model.data || mark.isPending) return <ShellSkeleton />;
  return (
    <ModelContext value={model.data}>
      <FormatContext value={format}>
        <Screens mark={mark.data ?? ''} />
      </FormatContext>
    </ModelContext>
  );
}
