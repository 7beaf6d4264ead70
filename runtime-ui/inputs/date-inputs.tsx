/** Dates and date-times. Date-times are typed in the organisation's time zone. */
import { DatePickerInput, DateTimePicker } from '@mantine/dates';
import '@mantine/dates/styles.layer.css';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { textOf } from '../values/field-value.tsx';
import { common, type InputProps } from './input-props.ts';
import { usePortal } from './portal.ts';
import { fromWallTime, toWallTime } from './zoned.ts';

export function DateField(props: InputProps) {
  const { t } = useTranslation();
  const withinPortal = usePortal();
  return (
    <DatePickerInput
      {...common(props)}
      valueFormat="D MMM YYYY"
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
  const { timeZone } = useModel().tenant;
  const instant = textOf(props.value);
  return (
    <DateTimePicker
      {...common(props)}
      valueFormat="D MMM YYYY HH:mm"
      value={instant ? toWallTime(instant, timeZone) : null}
      onChange={(next) => props.onChange(next ? fromWallTime(next, timeZone) : undefined)}
      clearable={!props.required}
      clearButtonProps={{ 'aria-label': `${t('action.clear')}: ${props.field.label}` }}
      popoverProps={{ withinPortal }}
    />
  );
}
