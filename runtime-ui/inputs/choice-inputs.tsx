/** Inputs one chooses in: choices, currencies, yes and no. */
import { MultiSelect, Select, Switch } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { textOf } from '../values/field-value.tsx';
import { common, type InputProps } from './input-props.ts';
import { usePortal } from './portal.ts';

export function ChoiceInput(props: InputProps) {
  const { t } = useTranslation();
  const withinPortal = usePortal();
  // A lifecycle has more states than a new record may stand in.
  const allowed: unknown = props.field.type === 'state' ? props.field.schema?.['enum'] : undefined;
  const data = (props.field.choices ?? [])
    .filter((choice) => !Array.isArray(allowed) || allowed.includes(choice.key))
    .map((choice) => ({ value: choice.key, label: choice.label }));
  return (
    <Select
      {...common(props)}
      data={data}
      value={textOf(props.value) || null}
      onChange={(next) => props.onChange(next ?? undefined)}
      clearable={!props.required}
      searchable={data.length > 7}
      allowDeselect={false}
      nothingFoundMessage={t('form.noMatch')}
      comboboxProps={{ withinPortal }}
    />
  );
}

export function ChoicesInput(props: InputProps) {
  const { t } = useTranslation();
  const data = (props.field.choices ?? []).map((choice) => ({ value: choice.key, label: choice.label }));
  const value = Array.isArray(props.value) ? props.value.map(textOf) : [];
  return (
    <MultiSelect
      {...common(props)}
      data={data}
      value={value}
      onChange={(next) => props.onChange(next.length ? next : undefined)}
      clearable
      searchable={data.length > 7}
      nothingFoundMessage={t('form.noMatch')}
    />
  );
}

export function BooleanInput(props: InputProps) {
  const { id, description, error, disabled, size } = common(props);
  return (
    <Switch
      {...(id ? { id } : {})}
      {...(props.label ? { label: props.label } : { 'aria-label': props.ariaLabel ?? props.field.label })}
      {...(description ? { description } : {})}
      error={error}
      disabled={disabled}
      size={size}
      checked={props.value === true}
      onChange={(event) => props.onChange(event.currentTarget.checked)}
      {...(props.label ? { mt: 26 } : {})}
    />
  );
}

/** As in the theme: styles given to an input replace those of the theme. */
const LIST_STYLES = { options: { maxHeight: 240, overflowY: 'auto' } } as const;

/** All currencies this browser knows, the one in use first. */
export function CurrencyInput(props: InputProps & { readonly width?: number }) {
  const value = textOf(props.value);
  const withinPortal = usePortal();
  const data = useMemo(() => [...new Set([...(value ? [value] : []), ...Intl.supportedValuesOf('currency')])], [value]);
  return (
    <Select
      {...common(props)}
      data={data}
      value={value || null}
      onChange={(next) => props.onChange(next ?? undefined)}
      searchable
      allowDeselect={false}
      limit={40}
      dir="ltr"
      {...(props.width
        ? {
            styles: {
              ...LIST_STYLES,
              input: { borderTopLeftRadius: 0, borderBottomLeftRadius: 0, borderLeftWidth: 0 },
            },
          }
        : {})}
      {...(props.width ? { w: props.width } : {})}
      comboboxProps={{ width: 120, position: 'bottom-end', withinPortal }}
    />
  );
}
