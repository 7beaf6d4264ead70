/** Records of other entities that point here: the first ten, a way to add, a way to see all. */
import { Button, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { UiEntity, UiField } from '../../engine/api/ui-model.ts';
import { useModel } from '../api/model.ts';
import { readPage, selectOf } from '../api/records.ts';
import { navigate } from '../app/place.ts';
import { listPath } from '../app/route.ts';
import { writable } from '../form/wire.ts';
import { columnsOf } from '../list/use-list.ts';
import { viewsOf } from '../api/model.ts';
import { Icon } from '../shared/icon.tsx';
import { Link } from '../shared/link.tsx';
import { sentenceOf } from '../shared/states.tsx';
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
  return (
    <>
      {related.map(({ entity, field }) => {
        // Accounts of an account are of what kind?
        const several = entity === own || related.filter((each) => each.entity === entity).length > 1;
        return (
          <RelatedList
            key={`${entity.name}.${field.key}`}
            entity={entity}
            field={field}
            id={id}
            heading={several ? `${entity.pluralLabel} · ${field.label}` : entity.pluralLabel}
          />
        );
      })}
    </>
  );
}

function RelatedList({ entity, field, id, heading }: Referrer & { readonly id: string; readonly heading: string }) {
  const { t } = useTranslation();
  const model = useModel();
  const views = viewsOf(entity, '');
  const view = views.find((each) => !each.filtered) ?? views[0];
  const columns = view
    ? columnsOf(entity, view)
        .filter((column) => !column.title && column.field.key !== field.key && column.field.key !== field.companionOf)
        .slice(0, COLUMNS)
        .map((column) => column.field)
    : [];
  const query = `$select=${encodeURIComponent(selectOf(model, entity, columns))}&${field.key}=${encodeURIComponent(id)}${view?.order ? `&$order=${view.order}` : ''}&$first=${SHOWN}&$count=capped`;
  const page = useQuery({
    queryKey: ['records', entity.url, 'related', query],
    queryFn: ({ signal }) => readPage(entity, query, signal),
  });
  const addable = entity.can.create && writable(field, 'create');
  const records = page.data?.data ?? [];
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
      {page.isPending ? (
        <Skeleton h={72} />
      ) : page.isError ? (
        <p className={classes['none']} role="alert">
          {sentenceOf(page.error, t)}
        </p>
      ) : records.length === 0 ? (
        <p className={classes['none']}>{t('record.noRelated')}</p>
      ) : (
        <RecordTable label={heading} fields={columns} records={records} titled={entity} />
      )}
    </section>
  );
}
