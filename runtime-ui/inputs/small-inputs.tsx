/** Inputs of one small value each: a time, a length of time, stars, a colour, a country. */
import { ColorInput, Input, Rating, Select, TextInput } from '@mantine/core';
import { TimeInput } from '@mantine/dates';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { textOf } from '../values/field-value.tsx';
import { clockOf } from './duration.ts';
import { common, type InputProps } from './input-props.ts';
import { usePortal } from './portal.ts';

export function TimeField(props: InputProps) {
  const value = textOf(props.value);
  return (
    <TimeInput
      {...common(props)}
      dir="ltr"
      // Seconds are shown where there are any.
      value={value.replace(/^(\d\d:\d\d):00$/, '$1')}
      withSeconds={/^\d\d:\d\d:(?!00)\d\d$/.test(value)}
      onChange={(event) => props.onChange(event.currentTarget.value || undefined)}
    />
  );
}

/** What is typed goes to the server as it is: it reads `1:30`, `90m`, `1h 30m` and more. */
export function DurationField(props: InputProps) {
  const { t } = useTranslation();
  return (
    <TextInput
      {...common(props)}
      dir="ltr"
      placeholder={t('form.duration')}
      value={typeof props.value === 'number' ? clockOf(props.value) : textOf(props.value)}
      onChange={(event) => props.onChange(event.currentTarget.value || undefined)}
      autoComplete="off"
    />
  );
}

export function RatingField(props: InputProps) {
  const maximum = props.field.schema?.['maximum'];
  const { id, size, disabled } = common(props);
  const value = Number(textOf(props.value)) || 0;
  return (
    <Input.Wrapper
      {...(id ? { id } : {})}
      size={size}
      label={props.label}
      labelElement="div"
      withAsterisk={props.required ?? false}
      description={props.description}
      error={props.error}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
    >
      <Rating
        aria-label={props.label ?? props.ariaLabel ?? props.field.label}
        count={typeof maximum === 'number' ? maximum : 5}
        value={value}
        readOnly={disabled}
        // A star that is chosen already takes the rating back.
        onChange={(next) => props.onChange(next === value || next === 0 ? undefined : next)}
        size={size}
      />
    </Input.Wrapper>
  );
}

export function ColourField(props: InputProps) {
  const withinPortal = usePortal();
  return (
    <ColorInput
      {...common(props)}
      dir="ltr"
      format="hex"
      value={textOf(props.value)}
      onChange={(next) => props.onChange(next || undefined)}
      popoverProps={{ withinPortal }}
      eyeDropperButtonProps={{ 'aria-label': props.field.label }}
      withEyeDropper={false}
    />
  );
}

export function CountryField(props: InputProps) {
  const { i18n } = useTranslation();
  const withinPortal = usePortal();
  const data = useMemo(() => countries(i18n.language), [i18n.language]);
  return (
    <Select
      {...common(props)}
      data={data}
      searchable
      clearable={!props.required}
      value={textOf(props.value) || null}
      onChange={(next) => props.onChange(next ?? undefined)}
      comboboxProps={{ withinPortal }}
    />
  );
}

const LETTERS = Array.from({ length: 26 }, (_, at) => String.fromCodePoint(65 + at));
/** Codes that name no country, or one that is no more, and that browsers know names for. */
const OTHERS = new Set(
  'AC AN BU CP CQ CS DD DG DY EA EU EZ FX HV IC NH NT QO RH SU TA TP UK UN VD XA XB XK YD YU ZR ZZ'.split(' '),
);

/** All countries that the browser has a name for, sorted by it. */
function countries(language: string): { readonly value: string; readonly label: string }[] {
  const names = new Intl.DisplayNames(language, { type: 'region', fallback: 'none' });
  return LETTERS.flatMap((first) => LETTERS.map((second) => `${first}${second}`))
    .flatMap((value) => {
      const label = OTHERS.has(value) ? undefined : names.of(value);
      return label === undefined ? [] : [{ value, label }];
    })
    .sort((a, b) => a.label.localeCompare(b.label, language));
}
