/** Filters in words, and which operators to offer. */
import type { TFunction } from 'i18next';
import type { UiField } from '../../engine/api/ui-model.ts';
import type { Operator } from '../../engine/model/value-type.ts';
import { kindOf } from '../api/field-kind.ts';
import { clockOf } from '../inputs/duration.ts';
import type { Format } from '../i18n/format.ts';
import type { Filter } from './list-query.ts';

/** What the editor offers: the operators, with `null` as two of its own. */
export type Condition = Exclude<Operator, 'null'> | 'empty' | 'filled';

/** Offered first when the field has it; the rest follows in the model's order. */
const FIRST: readonly Operator[] = ['icontains', 'within', 'in', 'has', 'eq', 'between'];

/** Patterns and folded words are for programs: a person has "contains". */
const FOR_PROGRAMS: readonly Operator[] = ['like', 'ilike', 'search'];

/** What the editor offers of `within`; an address may say any number of days. */
export const OFFERED_PERIODS = [
  'today',
  'yesterday',
  'tomorrow',
  'this_week',
  'last_week',
  'next_week',
  'this_month',
  'last_month',
  'next_month',
  'this_quarter',
  'last_quarter',
  'this_year',
  'last_year',
  'this_fiscal_quarter',
  'this_fiscal_year',
  'last_7_days',
  'last_30_days',
  'last_90_days',
  'next_7_days',
  'next_30_days',
] as const;

/** `last_30_days` in words. */
export function periodLabel(period: string, t: TFunction): string {
  const [, which, count, unit] = /^(last|next)_(\d+)_(days|weeks|months|quarters|years)$/.exec(period) ?? [];
  return count === undefined ? t(`period.${period}`) : t(`period.${which}_n_${unit}`, { count: Number(count) });
}

export function conditionsOf(field: UiField): readonly Condition[] {
  const kind = kindOf(field);
  // "is any of" says all that "is" says where one picks from a list.
  const hidden = new Set<Operator>(
    kind === 'choice' && field.operators.includes('in')
      ? ['eq', 'ne']
      : kind === 'reference'
        ? ['in', 'nin']
        : kind === 'boolean'
          ? ['ne', 'in', 'nin']
          : [],
  );
  for (const operator of FOR_PROGRAMS) hidden.add(operator);
  if (field.operators.includes('icontains')) hidden.add('contains');
  if (field.operators.includes('istarts')) hidden.add('starts');
  const shown = field.operators.filter((operator) => !hidden.has(operator));
  const sorted = [
    ...FIRST.filter((operator) => shown.includes(operator)),
    ...shown.filter((operator) => !FIRST.includes(operator)),
  ];
  return sorted.flatMap((operator): readonly Condition[] => (operator === 'null' ? ['empty', 'filled'] : [operator]));
}

export function conditionOf(filter: Filter): Condition {
  return filter.operator === 'null' ? (filter.values[0] === 'false' ? 'filled' : 'empty') : filter.operator;
}

export function filterOf(field: string, condition: Condition, values: readonly string[]): Filter {
  if (condition === 'empty' || condition === 'filled')
    return { field, operator: 'null', values: [String(condition === 'empty')] };
  return { field, operator: condition, values };
}

export function conditionLabel(field: UiField, condition: Condition, t: TFunction): string {
  const timely = field.valueType === 'date' || field.valueType === 'datetime';
  const key =
    timely && ['lt', 'lte', 'gt', 'gte'].includes(condition) ? `operator.${condition}_date` : `operator.${condition}`;
  return t(key);
}

/** The value side of a chip. References are given by their titles. */
export function valueLabel(
  field: UiField,
  filter: Filter,
  titles: ReadonlyMap<string, string>,
  format: Format,
  t: TFunction,
): string {
  const words = filter.values.map((value) => {
    if (value === '@me') return t('operator.me');
    if (filter.operator === 'within') return periodLabel(value, t);
    switch (kindOf(field)) {
      case 'choice':
      case 'choices':
        return field.choices?.find((choice) => choice.key === value)?.label ?? value;
      case 'reference':
        return titles.get(value) ?? '…';
      case 'boolean':
        return t(value === 'true' ? 'value.yes' : 'value.no');
      case 'date':
        return format.date(value);
      case 'datetime':
        return format.datetime(value);
      case 'integer':
      case 'decimal':
      case 'money':
        return format.decimal(value);
      case 'percent':
        return format.percent(value);
      case 'duration':
        return clockOf(Number(value));
      case 'text':
      case 'longText':
      case 'email':
      case 'phone':
      case 'url':
      case 'currency':
      case 'tags':
      case 'children':
      case 'links':
      case 'records':
      case 'any':
      case 'json':
      case 'richText':
      case 'time':
      case 'rating':
      case 'colour':
      case 'country':
      case 'composite':
      case 'file':
      case 'image':
      default:
        return value;
    }
  });
  return filter.operator === 'between'
    ? t('operator.and', { a: words[0] ?? '', b: words[1] ?? '' })
    : words.join(t('operator.comma'));
}
