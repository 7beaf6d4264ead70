/** Which screen the address means. Grid, form and import are loaded when they are first shown. */
import { Skeleton, Stack } from '@mantine/core';
import { lazy, Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { EmptyState, ErrorState } from '../shared/states.tsx';
import { Waiting } from '../shared/waiting.tsx';
import { ApiProblem } from '../api/problem.ts';
import { Boundary } from './boundary.tsx';
import { useLive } from './live.ts';
import { navigate, usePlace } from './place.ts';
import { listPath, menuPath, routeOf } from './route.ts';
import { Shell } from './shell.tsx';

const ListPage = lazy(() => import('../list/list-page.tsx').then((module) => ({ default: module.ListPage })));
const RecordPage = lazy(() => import('../record/record-page.tsx').then((module) => ({ default: module.RecordPage })));
const CreatePage = lazy(() => import('../record/create-page.tsx').then((module) => ({ default: module.CreatePage })));
const ImportPage = lazy(() => import('../import/import-page.tsx').then((module) => ({ default: module.ImportPage })));

const BinPage = lazy(() => import('../list/bin-page.tsx').then((module) => ({ default: module.BinPage })));
const MergePage = lazy(() => import('../record/merge-page.tsx').then((module) => ({ default: module.MergePage })));

/** @param mark where the changes stood before any record was read */
export function Screens({ mark }: { readonly mark: string }) {
  const { path } = usePlace();
  useLive(useModel(), mark);
  return (
    <Shell>
      <Boundary key={path}>
        <Suspense fallback={<PageSkeleton />}>
          <Screen />
        </Suspense>
      </Boundary>
    </Shell>
  );
}

function Screen() {
  const model = useModel();
  const place = usePlace();
  const route = routeOf(place.path, model);
  useEffect(() => {
    const subject = route.page === 'home' || route.page === 'missing' ? null : route.entity.pluralLabel;
    document.title = subject ? `${subject} · ${model.tenant.name}` : model.tenant.name;
  }, [route, model]);
  switch (route.page) {
    case 'home':
      return <Home />;
    case 'list':
      return <ListPage key={route.entity.name} entity={route.entity} />;
    case 'new':
      return <CreatePage key={route.entity.name} entity={route.entity} search={place.search} />;
    case 'import':
      return <ImportPage key={route.entity.name} entity={route.entity} />;
    case 'bin':
      return <BinPage key={route.entity.name} entity={route.entity} />;
    case 'merge':
      return <MergePage key={place.search} entity={route.entity} search={place.search} />;
    case 'record':
      return <RecordPage key={route.id} entity={route.entity} id={route.id} />;
    case 'missing':
    default:
      return <ErrorState error={new ApiProblem(404, 'not_found', '', '')} />;
  }
}

/** The first place of the navigation. */
function Home() {
  const { t } = useTranslation();
  const model = useModel();
  const first =
    model.menus.flatMap((menu) => menu.items).flatMap((item) => menuPath(model, item) ?? [])[0] ??
    Object.values(model.entities)
      .filter((entity) => !entity.child && entity.can.create)
      .map((entity) => listPath(entity))[0];
  useEffect(() => {
    if (first) void navigate(first, { replace: true });
  }, [first]);
  return first ? (
    <PageSkeleton />
  ) : (
    <EmptyState icon="shield" title={t('state.noAccess')} next={t('state.noAccessNext')} />
  );
}

export function PageSkeleton() {
  return (
    <Waiting>
      <Stack p="lg" gap="md">
        <Skeleton h={26} w={220} />
        <Skeleton h={34} />
        {[1, 2, 3, 4, 5, 6].map((row) => (
          <Skeleton key={row} h={18} />
        ))}
      </Stack>
    </Waiting>
  );
}
