/** An amount and its currency, as one input. Value: `Money`. */
import { Group, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { CurrencyInput } from './choice-inputs.tsx';
import { readDecimal } from './decimal.ts';
import { common, type InputProps } from './input-props.ts';
import { moneyOf } from './money.ts';

export function MoneyInput(props: InputProps) {
  const { t } = useTranslation();
  const model = useModel();
  const money = moneyOf(props.value);
  const name = props.label ?? props.ariaLabel ?? props.field.label;
  const currency = money.currency ?? model.tenant.currency;
  const settle = () => {
    if (money.amount) props.onChange({ ...money, currency, amount: readDecimal(money.amount) });
  };
  return (
    <Group gap={0} wrap="nowrap" align="flex-start" dir="ltr">
      <TextInput
        {...common(props)}
        flex={1}
        miw={0}
        dir="ltr"
        inputMode="decimal"
        labelProps={{ dir: 'auto' }}
        value={money.amount ?? ''}
        onChange={(event) => props.onChange({ currency, amount: event.currentTarget.value || undefined })}
        onBlur={settle}
        autoComplete="off"
        styles={{ input: { borderStartEndRadius: 0, borderEndEndRadius: 0 } }}
      />
      <CurrencyInput
        field={props.field}
        size={props.size ?? 'sm'}
        width={props.size === 'xs' ? 74 : 92}
        {...(props.label ? { label: '\u00a0' } : {})}
        ariaLabel={t('form.currencyOf', { label: name })}
        disabled={props.disabled ?? false}
        value={currency}
        onChange={(next) => props.onChange({ ...money, currency: next })}
      />
    </Group>
  );
}
