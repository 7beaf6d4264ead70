/** The list on a phone: one card per record, more on request. */
import { Button, Center, Skeleton, Stack } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { type FieldKind, kindOf } from '../api/field-kind.ts';
import { type ApiRecord, readPage } from '../api/records.ts';
import { recordPath } from '../app/route.ts';
import { Link } from '../shared/link.tsx';
import { ErrorState } from '../shared/states.tsx';
import { Waiting } from '../shared/waiting.tsx';
import { FieldValue, textOf } from '../values/field-value.tsx';
import { EmptyList } from './empty-list.tsx';
import type { Count } from './list-page.tsx';
import classes from './list-page.module.css';
import { apiQuery } from './list-query.ts';
import type { List } from './use-list.ts';

const PAGE = 30;
const FACTS = 4;
/** Values that say what they are without their label. */
const TELLING: ReadonlySet<FieldKind> = new Set([
  'choice',
  'choices',
  'reference',
  'money',
  'date',
  'email',
  'phone',
  'tags',
]);

export function CardList({ list, onCount }: { readonly list: List; readonly onCount: (count: Count | null) => void }) {
  const { t } = useTranslation();
  const query = apiQuery(list.query, list.view, list.select, list.order);
  const pages = useInfiniteQuery({
    queryKey: ['records', list.entity.url, 'cards', query],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      readPage(
        list.entity,
        `${query}&$first=${PAGE}${pageParam ? `&$after=${encodeURIComponent(pageParam)}` : '&$count=capped'}`,
        signal,
      ),
    getNextPageParam: (page) => page.page.next ?? undefined,
  });
  const count = pages.data?.pages[0]?.count;
  useEffect(() => onCount(count ? { value: count.value, more: count.mode === 'atLeast' } : null), [count, onCount]);
  if (pages.isError) return <ErrorState error={pages.error} onRetry={() => void pages.refetch()} />;
  if (!pages.data) {
    return (
      <Waiting>
        <Stack p="md" gap="lg">
          {[1, 2, 3, 4, 5].map((row) => (
            <Skeleton key={row} h={40} />
          ))}
        </Stack>
      </Waiting>
    );
  }
  const records = pages.data.pages.flatMap((page) => page.data);
  if (records.length === 0) return <EmptyList list={list} />;
  return (
    <>
      <ul className={classes['cards']} aria-label={t('list.grid', { entities: list.entity.pluralLabel })}>
        {records.map((record) => (
          <li key={record.id}>
            <Card list={list} record={record} />
          </li>
        ))}
      </ul>
      {pages.hasNextPage ? (
        <Center pb="xl">
          <Button variant="default" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            {t('list.loadMore')}
          </Button>
        </Center>
      ) : null}
    </>
  );
}

function Card({ list, record }: { readonly list: List; readonly record: ApiRecord }) {
  const filled = list.columns.filter(
    (column) => !column.title && record[column.field.key] != null && record[column.field.key] !== '',
  );
  const telling = filled.filter((column) => TELLING.has(kindOf(column.field)));
  const facts = (telling.length > 0 ? telling : filled).slice(0, FACTS);
  return (
    <Link className={classes['card']} href={recordPath(list.entity, record.id)}>
      <span className={classes['cardTitle']} dir="auto">
        {textOf(record['_title']) || '—'}
      </span>
      <span className={classes['cardFacts']}>
        {facts.map((column) => (
          <span key={column.field.key}>
            <span className="visually-hidden">{column.field.label}: </span>
            <FieldValue field={column.field} value={record[column.field.key]} record={record} plain />
          </span>
        ))}
      </span>
    </Link>
  );
}
