/** A value of any field, shown: in a list cell, on a record page, in the history. */
import { useTranslation } from 'react-i18next';
import type { UiField } from '../../engine/api/ui-model.ts';
import { kindOf } from '../api/field-kind.ts';
import { useModel } from '../api/model.ts';
import { isObject } from '../api/problem.ts';
import { recordPath } from '../app/route.ts';
import { useFormat } from '../i18n/format.ts';
import { clockOf } from '../inputs/duration.ts';
import { Link } from '../shared/link.tsx';
import { Badge } from './badge.tsx';
import { FileValue } from './file-value.tsx';
import { Person } from './person.tsx';
import { richText } from './rich-value.tsx';
import classes from './value.module.css';

export interface FieldValueProps {
  readonly field: UiField;
  readonly value: unknown;
  /** The record the value is of: money finds its currency there. */
  readonly record?: Readonly<Record<string, unknown>> | undefined;
  /** What to show for nothing; a list leaves the cell empty. */
  readonly empty?: string;
  /** Without links, where the value is inside of a link already. */
  readonly plain?: boolean;
}

export function FieldValue({ field, value, record, empty, plain = false }: FieldValueProps) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const model = useModel();
  if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) {
    return empty === undefined ? null : <span className={classes['none']}>{empty}</span>;
  }
  const text = textOf(value);
  switch (kindOf(field)) {
    case 'money': {
      const companion = field.currencyField ? record?.[field.currencyField] : undefined;
      return <Money value={text} currency={typeof companion === 'string' ? companion : model.tenant.currency} />;
    }
    case 'integer':
      return (
        <span className={classes['number']} dir="ltr">
          {typeof value === 'number' ? format.integer(value, field.grouping) : text}
        </span>
      );
    case 'decimal':
      return (
        <span className={classes['number']} dir="ltr">
          {format.decimal(text, field.scale)}
        </span>
      );
    case 'percent':
      return (
        <span className={classes['number']} dir="ltr">
          {format.percent(text)}
        </span>
      );
    case 'boolean':
      return <>{value === true || value === 'true' ? t('value.yes') : t('value.no')}</>;
    case 'date':
      return <time dateTime={text}>{format.date(text)}</time>;
    case 'datetime':
      return <time dateTime={text}>{format.datetime(text)}</time>;
    case 'choice': {
      const choice = field.choices?.find((each) => each.key === text);
      return <Badge label={choice?.label ?? text} color={choice?.color ?? null} />;
    }
    case 'choices':
    case 'tags':
      return <Tags field={field} value={value} />;
    case 'reference':
      return <Reference entity={field.reference} value={value} plain={plain} />;
    case 'any':
      return <AnyReference value={value} plain={plain} />;
    case 'links':
    case 'records':
      return <Records field={field} value={value} plain={plain} />;
    case 'children':
      return <>{t('value.rows', { count: Array.isArray(value) ? value.length : 0 })}</>;
    case 'email':
      return plain ? (
        <span dir="ltr">{text}</span>
      ) : (
        <a className={classes['link']} dir="ltr" href={`mailto:${text}`}>
          {text}
        </a>
      );
    case 'phone':
      return plain ? (
        <span dir="ltr">{text}</span>
      ) : (
        <a className={classes['link']} dir="ltr" href={`tel:${text}`}>
          {text}
        </a>
      );
    case 'url':
      return plain || !/^https?:\/\//i.test(text) ? (
        <span dir="ltr">{text}</span>
      ) : (
        <a className={classes['link']} dir="ltr" href={text} target="_blank" rel="noreferrer noopener">
          {text.replace(/^https?:\/\//i, '').replace(/\/$/, '')}
        </a>
      );
    case 'longText':
      return (
        <span className={classes['long']} dir="auto">
          {text}
        </span>
      );
    case 'richText':
      return (
        <span className={classes['long']} dir="auto">
          {richText(text)}
        </span>
      );
    case 'duration':
      return (
        <span className={classes['number']} dir="ltr">
          {typeof value === 'number' ? clockOf(value) : text}
        </span>
      );
    case 'time':
      return (
        <time dir="ltr" dateTime={text}>
          {text.replace(/^(\d\d:\d\d):00$/, '$1')}
        </time>
      );
    case 'rating':
      return (
        <span dir="ltr">
          <span aria-hidden="true">{'★'.repeat(Number(value) || 0)}</span>
          <span className="visually-hidden">{text}</span>
        </span>
      );
    case 'colour':
      return <Colour value={text} />;
    case 'country':
      return <>{countryName(text, i18n.language)}</>;
    case 'file':
    case 'image':
      return <FileValue field={field} value={value} record={record} plain={plain} />;
    case 'json':
      return <code dir="ltr">{typeof value === 'string' ? value : JSON.stringify(value)}</code>;
    case 'composite':
    case 'currency':
    case 'text':
    default:
      return <span dir="auto">{text}</span>;
  }
}

function Colour({ value }: { readonly value: string }) {
  // Only what is a colour may become a style.
  const style = /^#[0-9a-f]{6}$/.test(value) ? { backgroundColor: value } : {};
  return (
    <span dir="ltr">
      <span className={classes['swatch']} style={style} />
      {value}
    </span>
  );
}

function countryName(code: string, language: string): string {
  return /^[A-Z]{2}$/.test(code) ? (new Intl.DisplayNames(language, { type: 'region' }).of(code) ?? code) : code;
}

function Money({ value, currency }: { readonly value: string; readonly currency: string }) {
  const format = useFormat();
  // The code stands apart from the amount and quieter, so that amounts of a column line up.
  return (
    <span className={classes['number']} dir="ltr">
      <span className={classes['currency']}>{currency}</span>
      {'\u00a0'}
      {format.amount(value, currency)}
    </span>
  );
}

function Tags({ field, value }: { readonly field: UiField; readonly value: unknown }) {
  const list = Array.isArray(value) ? value.map(textOf) : [textOf(value)];
  return (
    <span className={classes['tags']}>
      {list.map((each) => {
        const choice = field.choices?.find((option) => option.key === each);
        return choice ? (
          <Badge key={each} label={choice.label} color={choice.color} />
        ) : (
          <span key={each} className={classes['tag']} dir="auto">
            {each}
          </span>
        );
      })}
    </span>
  );
}

/** Records by their titles, one after the other. */
function Records({
  field,
  value,
  plain,
}: {
  readonly field: UiField;
  readonly value: unknown;
  readonly plain: boolean;
}) {
  const records = Array.isArray(value) ? value : [value];
  return (
    <span className={classes['tags']}>
      {records.map((record, at) => (
        <span key={isObject(record) ? textOf(record['id']) : at} className={classes['tag']}>
          <Reference entity={field.list?.entity ?? null} value={record} plain={plain} />
        </span>
      ))}
    </span>
  );
}

/** What it is stands before what it is called: records of several kinds share a column. */
function AnyReference({ value, plain }: { readonly value: unknown; readonly plain: boolean }) {
  const model = useModel();
  const name = isObject(value) && typeof value['entity'] === 'string' ? value['entity'] : null;
  const label = name === null ? undefined : model.entities[name]?.label;
  return (
    <span className={classes['any']}>
      {label === undefined ? null : <span className={classes['kind']}>{label}</span>}
      <Reference entity={name} value={value} plain={plain} />
    </span>
  );
}

function Reference({
  entity,
  value,
  plain,
}: {
  /** Qualified name of what it points at. */
  readonly entity: string | null;
  readonly value: unknown;
  readonly plain: boolean;
}) {
  const { t } = useTranslation();
  const model = useModel();
  const target = entity ? model.entities[entity] : undefined;
  const id = isObject(value) ? textOf(value['id']) : textOf(value);
  const title = isObject(value) && typeof value['_title'] === 'string' ? value['_title'] : t('value.unknown');
  const link =
    target && !target.child && !plain && id ? (
      <Link className={classes['link']} href={recordPath(target, id)} dir="auto">
        {title}
      </Link>
    ) : (
      <span dir="auto">{title}</span>
    );
  return entity === 'core.user' ? <Person name={title}>{link}</Person> : link;
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
