/** Field, condition, value. */
import { Button, Group, MultiSelect, Select, Stack, TagsInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiField } from '../../engine/api/ui-model.ts';
import { kindOf } from '../api/field-kind.ts';
import { fieldOf, useModel } from '../api/model.ts';
import { readDecimal } from '../inputs/decimal.ts';
import { FieldInput } from '../inputs/field-input.tsx';
import { PortalContext } from '../inputs/portal.ts';
import { pickedOf } from '../inputs/picked.ts';
import { textOf } from '../values/field-value.tsx';
import {
  type Condition,
  conditionLabel,
  conditionOf,
  conditionsOf,
  filterOf,
  OFFERED_PERIODS,
  periodLabel,
} from './filter-words.ts';
import { type Filter, LIST_OPERATORS } from './list-query.ts';
import type { List } from './use-list.ts';

interface FilterEditorProps {
  readonly list: List;
  readonly filter: Filter | null;
  readonly titles: ReadonlyMap<string, string>;
  readonly onSave: (filter: Filter) => void;
  readonly onClose: () => void;
}

export function FilterEditor({ list, filter, titles, onSave, onClose }: FilterEditorProps) {
  const { t } = useTranslation();
  const offered = list.entity.fields.filter(
    (field) => field.key !== 'id' && field.key !== 'version' && conditionsOf(field).length > 0,
  );
  const [key, setKey] = useState(filter?.field ?? null);
  const field = key ? fieldOf(list.entity, key) : undefined;
  const [condition, setCondition] = useState<Condition | null>(
    filter ? conditionOf(filter) : field ? (conditionsOf(field)[0] ?? null) : null,
  );
  const [values, setValues] = useState<readonly string[]>(filter && filter.operator !== 'null' ? filter.values : []);
  const choose = (next: string | null) => {
    const chosen = next ? fieldOf(list.entity, next) : undefined;
    setKey(next);
    setCondition(chosen ? (conditionsOf(chosen)[0] ?? null) : null);
    setValues([]);
  };
  const valueless = condition === 'empty' || condition === 'filled';
  const filled = values.filter((value) => value !== '');
  const ready =
    field !== undefined && condition !== null && (valueless || filled.length >= (condition === 'between' ? 2 : 1));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (field && condition && ready)
      onSave(filterOf(field.key, condition, numeric(field) ? filled.map(readDecimal) : filled));
  };
  return (
    <form
      onSubmit={submit}
      onKeyDownCapture={(event) => {
        // Esc closes the list that is open, and only then the editor.
        const open = event.currentTarget.querySelector('[aria-expanded="true"]');
        if (event.key === 'Escape' && !open) onClose();
      }}
    >
      <Stack gap="sm" w={280}>
        <Select
          label={t('list.field')}
          data={offered.map((each) => ({ value: each.key, label: each.label }))}
          value={key}
          onChange={choose}
          searchable
          allowDeselect={false}
          comboboxProps={{ withinPortal: false }}
          {...(filter ? {} : { 'data-autofocus': true })}
        />
        {field ? (
          <Select
            label={t('list.operator')}
            data={conditionsOf(field).map((each) => ({ value: each, label: conditionLabel(field, each, t) }))}
            value={condition}
            onChange={(next) => {
              setCondition(conditionsOf(field).find((each) => each === next) ?? null);
              setValues([]);
            }}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
          />
        ) : null}
        {/* Lists and calendars open inside of the popover. */}
        <PortalContext value={false}>
          {field && condition && !valueless ? (
            <ValueEditor field={field} condition={condition} values={values} titles={titles} onChange={setValues} />
          ) : null}
        </PortalContext>
        <Group justify="flex-end">
          <Button type="submit" disabled={!ready}>
            {t('action.apply')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface ValueEditorProps {
  readonly field: UiField;
  readonly condition: Condition;
  readonly values: readonly string[];
  readonly titles: ReadonlyMap<string, string>;
  readonly onChange: (values: readonly string[]) => void;
}

function ValueEditor({ field, condition, values, titles, onChange }: ValueEditorProps) {
  const { t } = useTranslation();
  const model = useModel();
  const kind = kindOf(field);
  const label = t('list.value');
  const many = condition !== 'empty' && condition !== 'filled' && LIST_OPERATORS.has(condition);
  if (condition === 'within') {
    const [chosen] = values;
    const own = chosen && !OFFERED_PERIODS.some((each) => each === chosen) ? [chosen] : [];
    return (
      <Select
        label={label}
        data={[...own, ...OFFERED_PERIODS].map((value) => ({ value, label: periodLabel(value, t) }))}
        value={chosen ?? null}
        onChange={(next) => onChange(next ? [next] : [])}
        searchable
        comboboxProps={{ withinPortal: false }}
      />
    );
  }
  if (kind === 'boolean') {
    const data = ['true', 'false'].map((value) => ({ value, label: t(value === 'true' ? 'value.yes' : 'value.no') }));
    return (
      <Select
        label={label}
        data={data}
        value={values[0] ?? null}
        onChange={(next) => onChange(next ? [next] : [])}
        comboboxProps={{ withinPortal: false }}
      />
    );
  }
  if (field.choices) {
    const data = field.choices.map((choice) => ({ value: choice.key, label: choice.label }));
    if (many)
      return (
        <MultiSelect
          label={label}
          data={data}
          value={[...values]}
          onChange={onChange}
          searchable
          comboboxProps={{ withinPortal: false }}
        />
      );
    return (
      <Select
        label={label}
        data={data}
        value={values[0] ?? null}
        onChange={(next) => onChange(next ? [next] : [])}
        comboboxProps={{ withinPortal: false }}
      />
    );
  }
  if (condition === 'between') {
    return (
      <Group grow gap={8} align="flex-start">
        {[0, 1].map((at) => (
          <OneValue
            key={at}
            field={field}
            label={at === 0 ? label : '\u00a0'}
            name={`${label} ${at + 1}`}
            value={values[at] ?? ''}
            titles={titles}
            onChange={(next) => onChange(at === 0 ? [next, values[1] ?? ''] : [values[0] ?? '', next])}
          />
        ))}
      </Group>
    );
  }
  if (many)
    return (
      <TagsInput
        label={label}
        value={[...values]}
        onChange={onChange}
        placeholder={t('form.addTag')}
        acceptValueOnBlur
      />
    );
  return (
    <>
      <OneValue
        field={field}
        label={label}
        name={label}
        value={values[0] ?? ''}
        titles={titles}
        onChange={(next) => onChange(next ? [next] : [])}
      />
      {field.reference === 'core.user' && model.user.id ? (
        <Button variant="light" size="xs" onClick={() => onChange(['@me'])}>
          {t('operator.me')}
        </Button>
      ) : null}
    </>
  );
}

interface OneValueProps {
  readonly field: UiField;
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly titles: ReadonlyMap<string, string>;
  readonly onChange: (value: string) => void;
}

function OneValue({ field, label, name, value, titles, onChange }: OneValueProps) {
  const { t } = useTranslation();
  const [title, setTitle] = useState<string | null>(null);
  // An amount is compared as a number; a long text is searched by a short one.
  const kind = kindOf(field);
  const plain: UiField =
    kind === 'money'
      ? { ...field, currencyField: null, widget: 'decimal', type: 'decimal' }
      : kind === 'duration' || kind === 'rating'
        ? { ...field, widget: 'integer', type: 'integer' }
        : kind === 'longText' || kind === 'tags' || kind === 'json' || kind === 'richText' || kind === 'composite'
          ? { ...field, widget: 'text', type: 'text', valueType: 'text', companions: [] }
          : field;
  const shown =
    field.reference && value
      ? { id: value, _title: value === '@me' ? t('operator.me') : (title ?? titles.get(value) ?? '') }
      : value || undefined;
  return (
    <FieldInput
      field={plain}
      label={label}
      ariaLabel={name}
      value={shown}
      onChange={(next) => {
        const picked = pickedOf(next);
        setTitle(picked?._title ?? null);
        onChange(picked ? picked.id : textOf(next));
      }}
    />
  );
}

function numeric(field: UiField): boolean {
  return field.valueType === 'integer' || field.valueType === 'decimal';
}
