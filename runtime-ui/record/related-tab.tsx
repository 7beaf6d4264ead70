/** Records of other entities that point here: the first ten, a way to add, a way to see all. */
import { Button, Skeleton, Stack } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { UiEntity, UiField, UiModel } from '../../engine/api/ui-model.ts';
import { useModel } from '../api/model.ts';
import { type ApiRecord, readPage, selectOf } from '../api/records.ts';
import { navigate } from '../app/place.ts';
import { listPath } from '../app/route.ts';
import { writable } from '../form/wire.ts';
import { columnsOf } from '../list/use-list.ts';
import { viewsOf } from '../api/model.ts';
import { Icon } from '../shared/icon.tsx';
import { Link } from '../shared/link.tsx';
import { sentenceOf } from '../shared/states.tsx';
import { Waiting } from '../shared/waiting.tsx';
import classes from './record.module.css';
import { RecordTable } from './record-table.tsx';

const SHOWN = 10;
const COLUMNS = 4;

interface RelatedTabProps {
  readonly entity: UiEntity;
  readonly id: string;
  readonly related: readonly Referrer[];
}

interface Referrer {
  readonly entity: UiEntity;
  readonly field: UiField;
}

export function RelatedTab({ entity: own, id, related }: RelatedTabProps) {
  const model = useModel();
  const lists = related.map((referrer) => ({
    ...referrer,
    heading: headingOf(own, related, referrer),
    ...questionOf(model, referrer, id),
  }));
  const pages = useQueries({
    queries: lists.map(({ entity, query }) => ({
      queryKey: ['records', entity.url, 'related', query],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => readPage(entity, query, signal),
    })),
  });
  // All at once: lists that change places while somebody reads them are worse than a moment's wait.
  if (pages.some(({ isPending }) => isPending)) {
    return (
      <Waiting>
        <Stack>
          <Skeleton h={72} />
          <Skeleton h={72} />
        </Stack>
      </Waiting>
    );
  }
  const answered = lists.map((list, at): Answered => {
    const page = pages[at];
    return { ...list, records: page?.data?.data ?? [], error: page?.error ?? null };
  });
  const isEmpty = ({ records, error }: Answered) => records.length === 0 && error === null;
  return (
    <>
      {[...answered.filter((list) => !isEmpty(list)), ...answered.filter(isEmpty)].map((list) => (
        <RelatedList key={`${list.entity.name}.${list.field.key}`} {...list} id={id} />
      ))}
    </>
  );
}

/** What the record itself calls its list of them; which reference it is, where that alone does not tell. */
function headingOf(own: UiEntity, related: readonly Referrer[], referrer: Referrer): string {
  const list = listOf(own, referrer);
  const name = list?.label ?? referrer.entity.pluralLabel;
  const namesakes = related.filter((each) => (listOf(own, each)?.label ?? each.entity.pluralLabel) === name);
  const tells = namesakes.length === 1 && (list !== undefined || referrer.entity !== own);
  return tells ? name : `${name} · ${referrer.field.label}`;
}

const listOf = (own: UiEntity, { entity, field }: Referrer): UiField | undefined =>
  own.fields.find(({ list }) => list?.entity === entity.name && list.field === field.key);

function questionOf(
  model: UiModel,
  { entity, field }: Referrer,
  id: string,
): { readonly columns: readonly UiField[]; readonly query: string } {
  const views = viewsOf(entity, '');
  const view = views.find((each) => !each.filtered) ?? views[0];
  const columns = view
    ? columnsOf(entity, view)
        .filter((column) => !column.title && column.field.key !== field.key && column.field.key !== field.companionOf)
        .slice(0, COLUMNS)
        .map((column) => column.field)
    : [];
  const query = `$select=${encodeURIComponent(selectOf(model, entity, columns))}&${field.key}=${encodeURIComponent(id)}${view?.order ? `&$order=${view.order}` : ''}&$first=${SHOWN}&$count=capped`;
  return { columns, query };
}

interface Answered extends Referrer {
  readonly heading: string;
  readonly columns: readonly UiField[];
  readonly records: readonly ApiRecord[];
  readonly error: Error | null;
}

function RelatedList({ entity, field, id, heading, columns, records, error }: Answered & { readonly id: string }) {
  const { t } = useTranslation();
  const addable = entity.can.create && writable(field, 'create');
  return (
    <section className={classes['related']} aria-label={heading}>
      <div className={classes['relatedHead']}>
        <h2>{heading}</h2>
        {addable ? (
          <Button
            variant="subtle"
            size="xs"
            leftSection={<Icon name="plus" size={14} />}
            onClick={() => void navigate(`${listPath(entity)}/new?${field.key}=${encodeURIComponent(id)}`)}
          >
            {t('record.addRelated', { entity: entity.label })}
          </Button>
        ) : null}
        {records.length > 0 ? (
          <Button
            component={Link}
            variant="subtle"
            size="xs"
            color="gray"
            href={listPath(entity, `${field.key}=${encodeURIComponent(id)}`)}
          >
            {t('record.viewAll')}
          </Button>
        ) : null}
      </div>
      {error ? (
        <p className={classes['none']} role="alert">
          {sentenceOf(error, t)}
        </p>
      ) : records.length === 0 ? (
        <p className={classes['none']}>{t('record.noRelated')}</p>
      ) : (
        <RecordTable label={heading} fields={columns} records={records} titled={entity} />
      )}
    </section>
  );
}
