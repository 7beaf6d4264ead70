/** An amount of money. Its currency stands in the companion field `<key>_currency`. */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { numberOption, options } from '../base.ts';
import { isCurrency } from './currency.ts';
import { decimalOptions, decimalParts } from './decimal.ts';

export const MONEY_PRECISION = 19;

const parts = decimalParts((field) => ({ precision: MONEY_PRECISION, scale: numberOption(field, 'scale', 2) }));

const SIGNS: Readonly<Record<string, string>> = {
  '€': 'EUR',
  '£': 'GBP',
  US$: 'USD',
  '₹': 'INR',
  '₪': 'ILS',
  '₩': 'KRW',
};
const CODE_FIRST = /^([A-Za-z]{3}|US\$|[€£₹₪₩$¥])\s*(?=[\d(.,+\-−–٠-٩])(.+)$/;
const CODE_LAST = /^(.+?[\d).,٠-٩])\s*([A-Za-z]{3}|US\$|[€£₹₪₩$¥])$/;

/** Takes the currency off an amount: `USD 1,200.50`, `1.200,50 €`. `$` and `¥` are signs of many currencies and say nothing. */
function split(cell: string): { readonly amount: string; readonly currency: string | null } {
  const text = cell.trim();
  // A minus may stand before the sign: `-€5`.
  const negative = /^[-−–]\s*(?=\D)/.exec(text);
  const rest = negative ? text.slice(negative[0].length) : text;
  const first = CODE_FIRST.exec(rest);
  const last = first ? null : CODE_LAST.exec(rest);
  const amount = first?.[2] ?? last?.[1];
  const sign = first?.[1] ?? last?.[2];
  if (amount === undefined || sign === undefined) return { amount: text, currency: null };
  const code = SIGNS[sign] ?? (/^[A-Za-z]{3}$/.test(sign) ? sign.toUpperCase() : null);
  if (code !== null && !isCurrency(code)) return { amount: text, currency: null };
  return { amount: `${negative ? '-' : ''}${amount}`, currency: code };
}

function withCurrency(parsed: Parsed, field: Field, currency: string | null): Parsed {
  if ('error' in parsed || currency === null || field.currencyField === null) return parsed;
  return { value: parsed.value, also: { [field.currencyField]: currency } };
}

export const money: FieldType = {
  key: 'money',
  options: options({
    ...decimalOptions,
    scale: { type: 'integer', minimum: 0, maximum: 6, description: 'Digits after the decimal point; 2 when left out.' },
    currencyFrom: {
      type: 'string',
      pattern: '^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*){1,2}$',
      description:
        'Where the currency of a new amount is found when none is given: a currency at the end of one or two references, `price_list.currency`. The organisation’s when it is left out, or leads nowhere.',
    },
  }),
  ...parts,
  companions: [{ suffix: '_currency', type: 'currency', label: 'currency', required: 'always', default: 'currency' }],
  widget: () => 'money',
  importCell: (cell, field, context) => {
    const { amount, currency } = split(cell);
    return withCurrency(parts.importCell(amount, field, context), field, currency);
  },
};
