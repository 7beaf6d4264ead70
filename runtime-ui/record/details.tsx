/** The values of a record, read at a glance: in the sections of its form, labels aside. */
import { useTranslation } from 'react-i18next';
import type { UiEntity, UiField } from '../../engine/api/ui-model.ts';
import { kindOf } from '../api/field-kind.ts';
import { fieldOf, useModel } from '../api/model.ts';
import { isObject } from '../api/problem.ts';
import type { ApiRecord } from '../api/records.ts';
import form from '../form/form.module.css';
import { sectionsOf } from '../form/form-schema.ts';
import { rowFields, rowsOf } from '../form/wire.ts';
import { isolated, useFormat } from '../i18n/format.ts';
import { FieldValue, textOf } from '../values/field-value.tsx';
import { RichValue } from '../values/rich-value.tsx';
import classes from './record.module.css';
import { RecordTable } from './record-table.tsx';

export function Details({ entity, record }: { readonly entity: UiEntity; readonly record: ApiRecord }) {
  const owner = fieldOf(entity, 'owner');
  const sections = sectionsOf(entity, 'view');
  const listed = sections.some((section) => section.fields.some((field) => field.key === 'owner'));
  return (
    <>
      {sections.map((section, at) => (
        <section key={section.key} className={form['section']}>
          {section.label ? <h2 className={form['sectionTitle']}>{section.label}</h2> : null}
          <dl className={classes['facts']} data-columns={section.columns}>
            {section.fields.map((field) => (
              <Fact key={field.key} field={field} record={record} heading={section.label} />
            ))}
            {at === 0 && owner && !listed ? <Fact field={owner} record={record} heading={section.label} /> : null}
          </dl>
        </section>
      ))}
      <Meta record={record} />
    </>
  );
}

interface FactProps {
  readonly field: UiField;
  readonly record: ApiRecord;
  /** What stands above the section already. */
  readonly heading: string;
}

function Fact({ field, record, heading }: FactProps) {
  const model = useModel();
  const value = record[field.key];
  const child = field.children ? model.entities[field.children.entity] : undefined;
  if (field.children && child) {
    return (
      <div className={classes['table']}>
        <dt className={field.label === heading ? 'visually-hidden' : undefined}>{field.label}</dt>
        <dd>
          <RecordTable label={field.label} fields={rowFields(child, field.children.field)} records={rowsOf(value)} />
        </dd>
      </div>
    );
  }
  const kind = kindOf(field);
  const wide = kind === 'longText' || kind === 'json' || kind === 'richText';
  return (
    <div className={wide ? `${classes['fact']} ${classes['wideFact']}` : classes['fact']}>
      <dt>{field.label}</dt>
      <dd>
        {kind === 'richText' && typeof value === 'string' && value !== '' ? (
          <RichValue html={value} />
        ) : (
          <FieldValue field={field} value={value} record={record} empty="—" />
        )}
      </dd>
    </div>
  );
}

/** Who made it and who changed it last. */
function Meta({ record }: { readonly record: ApiRecord }) {
  const { t } = useTranslation();
  const format = useFormat();
  const line = (what: string, at: unknown, who: unknown) => {
    if (typeof at !== 'string') return null;
    const name = isObject(who) ? textOf(who['_title']) : '';
    return (
      <span>
        {t(what)} <time dateTime={at}>{format.datetime(at)}</time>{' '}
        {name ? t('record.by', { name: isolated(name) }) : null}
      </span>
    );
  };
  return (
    <footer className={classes['meta']}>
      {line('record.created', record['created_at'], record['created_by'])}
      {record['version'] === 1 ? null : line('record.updated', record['updated_at'], record['updated_by'])}
    </footer>
  );
}
