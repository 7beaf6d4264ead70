/** Dates and date-times. Date-times are typed in the organisation's time zone. */
import { DatePickerInput, DateTimePicker } from '@mantine/dates';
import '@mantine/dates/styles.layer.css';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/format.ts';
import { textOf } from '../values/field-value.tsx';
import { common, type InputProps } from './input-props.ts';
import { usePortal } from './portal.ts';
import { fromWallTime, toWallTime } from './zoned.ts';

export function DateField(props: InputProps) {
  const { t } = useTranslation();
  const withinPortal = usePortal();
  const { patterns } = useFormat();
  return (
    <DatePickerInput
      {...common(props)}
      valueFormat={patterns.date}
      value={textOf(props.value) || null}
      onChange={(next) => props.onChange(next ?? undefined)}
      clearable={!props.required}
      clearButtonProps={{ 'aria-label': `${t('action.clear')}: ${props.field.label}` }}
      popoverProps={{ withinPortal }}
    />
  );
}

export function DateTimeField(props: InputProps) {
  const { t } = useTranslation();
  const withinPortal = usePortal();
  const { timeZone, patterns } = useFormat();
  const instant = textOf(props.value);
  return (
    <DateTimePicker
      {...common(props)}
      valueFormat={patterns.datetime}
      timePickerProps={{ format: patterns.hours }}
      value={instant ? toWallTime(instant, timeZone) : null}
      onChange={(next) => props.onChange(next ? fromWallTime(next, timeZone) : undefined)}
      clearable={!props.required}
      clearButtonProps={{ 'aria-label': `${t('action.clear')}: ${props.field.label}` }}
      popoverProps={{ withinPortal }}
    />
  );
}
