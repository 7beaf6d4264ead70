/** An amount and its currency, as one input. Value: `Money`. */
import { Group, Input } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useModel, usualCurrency } from '../api/model.ts';
import { CurrencyInput } from './choice-inputs.tsx';
import { readDecimal } from './decimal.ts';
import { common, type InputProps } from './input-props.ts';
import { moneyOf } from './money.ts';

export function MoneyInput(props: InputProps) {
  const { t } = useTranslation();
  const model = useModel();
  const money = moneyOf(props.value);
  const name = props.label ?? props.ariaLabel ?? props.field.label;
  const currency = money.currency ?? usualCurrency(model, props.field) ?? undefined;
  const kept = currency === undefined ? {} : { currency };
  const settle = () => {
    if (money.amount) props.onChange({ ...money, ...kept, amount: readDecimal(money.amount) });
  };
  const { id, size, disabled } = common(props);
  return (
    <Input.Wrapper
      {...(id ? { id } : {})}
      size={size}
      label={props.label}
      withAsterisk={props.required ?? false}
      description={props.description}
      error={props.error}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
    >
      <Group gap={0} wrap="nowrap" align="flex-start" dir="ltr">
        <Input
          {...(props.label ? {} : { 'aria-label': name })}
          size={size}
          flex={1}
          miw={0}
          error={Boolean(props.error)}
          disabled={disabled}
          {...(props.first ? { 'data-autofocus': true } : {})}
          inputMode="decimal"
          value={money.amount ?? ''}
          onChange={(event) => props.onChange({ ...kept, amount: event.currentTarget.value || undefined })}
          onBlur={settle}
          autoComplete="off"
          styles={{
            input: {
              borderTopRightRadius: 0,
              borderBottomRightRadius: 0,
              ...(size === 'xs' ? { textAlign: 'right' } : {}),
            },
          }}
        />
        <CurrencyInput
          field={props.field}
          size={size}
          width={size === 'xs' ? 74 : 92}
          ariaLabel={t('form.currencyOf', { label: name })}
          disabled={disabled}
          value={currency}
          onChange={(next) => props.onChange({ ...money, currency: next })}
        />
      </Group>
    </Input.Wrapper>
  );
}
