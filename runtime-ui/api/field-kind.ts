/** How the screens treat a field: one of a few kinds, decided by what the model says of it. */
import type { UiField } from '../../engine/api/ui-model.ts';

export type FieldKind =
  | 'text'
  | 'longText'
  | 'email'
  | 'phone'
  | 'url'
  | 'integer'
  | 'decimal'
  | 'money'
  | 'percent'
  | 'boolean'
  | 'date'
  | 'datetime'
  | 'choice'
  | 'choices'
  | 'tags'
  | 'reference'
  | 'children'
  | 'links'
  | 'records'
  | 'any'
  | 'currency'
  | 'json'
  | 'richText'
  | 'time'
  | 'duration'
  | 'rating'
  | 'colour'
  | 'country'
  | 'composite'
  | 'file'
  | 'image';

/** Widget and type names that mean a kind; compared without `_`, `-` and case. */
const NAMES: Readonly<Record<string, FieldKind>> = {
  text: 'text',
  longtext: 'longText',
  textarea: 'longText',
  multiline: 'longText',
  richtext: 'richText',
  time: 'time',
  duration: 'duration',
  rating: 'rating',
  colour: 'colour',
  color: 'colour',
  country: 'country',
  file: 'file',
  image: 'image',
  note: 'longText',
  email: 'email',
  phone: 'phone',
  tel: 'phone',
  url: 'url',
  link: 'url',
  integer: 'integer',
  number: 'decimal',
  decimal: 'decimal',
  money: 'money',
  percent: 'percent',
  boolean: 'boolean',
  checkbox: 'boolean',
  switch: 'boolean',
  date: 'date',
  datetime: 'datetime',
  choice: 'choice',
  select: 'choice',
  state: 'choice',
  multiplechoice: 'choices',
  multichoice: 'choices',
  choices: 'choices',
  multiselect: 'choices',
  tags: 'tags',
  reference: 'reference',
  user: 'reference',
  team: 'reference',
  children: 'children',
  table: 'children',
  currency: 'currency',
  json: 'json',
};

export function kindOf(field: UiField): FieldKind {
  if (field.children) return 'children';
  if (field.list) return field.list.via === 'links' ? 'links' : 'records';
  if (field.targets) return 'any';
  if (field.reference) return 'reference';
  if (field.currencyField) return 'money';
  if (isComposite(field)) return 'composite';
  if (field.choices) return field.valueType === 'texts' ? 'choices' : 'choice';
  const named = NAMES[plain(field.widget)] ?? NAMES[plain(field.type)];
  // A choice or reference without its choices or target can only be shown as what it holds.
  if (named && !['choice', 'choices', 'reference', 'children', 'money'].includes(named)) return named;
  switch (field.valueType) {
    case 'integer':
    case 'decimal':
    case 'boolean':
    case 'date':
    case 'datetime':
    case 'time':
    case 'json':
      return field.valueType;
    case 'texts':
    case 'uuids':
      return 'tags';
    case 'text':
    case 'uuid':
    case null:
    default:
      return 'text';
  }
}

/** Whether people fill in its parts, and the field itself is made of them. */
export function isComposite(field: UiField): boolean {
  return field.companions.length > 0 && field.schema === null && field.currencyField === null && !field.system;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/** Whether numbers line up at the end of a column. */
export function isNumeric(kind: FieldKind): boolean {
  return kind === 'integer' || kind === 'decimal' || kind === 'money' || kind === 'percent';
}
