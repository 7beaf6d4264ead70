/** Inputs one types text or numbers into. */
import { TagsInput, Textarea, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { kindOf } from '../api/field-kind.ts';
import { textOf } from '../values/field-value.tsx';
import { readDecimal } from './decimal.ts';
import { common, type InputProps } from './input-props.ts';

export function PlainInput(props: InputProps) {
  const kind = kindOf(props.field);
  const type = kind === 'email' ? 'email' : kind === 'phone' ? 'tel' : kind === 'url' ? 'url' : 'text';
  return (
    <TextInput
      {...common(props)}
      type={type}
      dir={type === 'text' ? 'auto' : 'ltr'}
      value={textOf(props.value)}
      onChange={(event) => props.onChange(event.currentTarget.value || undefined)}
      autoComplete="off"
    />
  );
}

export function LongTextInput(props: InputProps) {
  return (
    <Textarea
      {...common(props)}
      dir="auto"
      autosize
      minRows={props.size === 'xs' ? 1 : 3}
      maxRows={14}
      value={textOf(props.value)}
      onChange={(event) => props.onChange(event.currentTarget.value || undefined)}
    />
  );
}

/** Integers, decimals and percents: typed as people do, kept as the API wants them. */
export function NumberField(props: InputProps) {
  const kind = kindOf(props.field);
  const settle = () => {
    const text = textOf(props.value);
    if (text === '') return;
    const read = readDecimal(text);
    const whole = kind === 'integer' && /^[+-]?\d+$/.test(read) && Number.isSafeInteger(Number(read));
    props.onChange(whole ? Number(read) : read);
  };
  return (
    <TextInput
      {...common(props)}
      dir="ltr"
      inputMode={kind === 'integer' ? 'numeric' : 'decimal'}
      value={textOf(props.value)}
      onChange={(event) => props.onChange(event.currentTarget.value || undefined)}
      onBlur={settle}
      {...(props.size === 'xs' ? { styles: { input: { textAlign: 'right' as const } } } : {})}
      {...(kind === 'percent' ? { rightSection: '%', rightSectionPointerEvents: 'none' as const } : {})}
      autoComplete="off"
    />
  );
}

export function TagsField(props: InputProps) {
  const { t } = useTranslation();
  const value = Array.isArray(props.value) ? props.value.map(textOf) : [];
  return (
    <TagsInput
      {...common(props)}
      value={value}
      onChange={(next) => props.onChange(next.length ? next : undefined)}
      placeholder={value.length ? '' : t('form.addTag')}
      splitChars={[',', ';']}
      acceptValueOnBlur
    />
  );
}

/** Structured values nobody has drawn a form for: JSON text, checked by the server. */
export function JsonInput(props: InputProps) {
  const text =
    typeof props.value === 'string'
      ? props.value
      : props.value === undefined || props.value === null
        ? ''
        : JSON.stringify(props.value, null, 2);
  const settle = () => {
    try {
      props.onChange(text ? JSON.parse(text) : undefined);
    } catch {
      props.onChange(text);
    }
  };
  return (
    <Textarea
      {...common(props)}
      dir="ltr"
      autosize
      minRows={2}
      styles={{ input: { fontFamily: 'monospace' } }}
      value={text}
      onChange={(event) => props.onChange(event.currentTarget.value || undefined)}
      onBlur={settle}
    />
  );
}
