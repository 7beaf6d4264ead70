/** Numbers as people write them in files, and exact decimals as the engine keeps them. Strings throughout: never a float (rule 7). */
import { Decimal } from 'decimal.js';
import type { Parsed, ValueContext } from '../field-type.ts';
import { accept, refuse } from './base.ts';

const DECIMAL = /^(-?)0*(\d+)(?:\.(\d*))?$/;

/**
 * Brings a decimal string to the scale of its field: `"4514"` → `"4514.00"`.
 * @param text `-?digits[.digits]`
 * @param precision digits in total, @param scale digits after the point
 */
export function fixedDecimal(text: string, precision: number, scale: number): Parsed {
  const parts = DECIMAL.exec(text);
  if (!parts) return refuse('number', `“${text.slice(0, 40)}” is not a number.`);
  const [, sign = '', whole = '0', written = ''] = parts;
  const fraction = written.replace(/0+$/, '');
  if (fraction.length > scale) {
    const allowed = scale === 0 ? 'No decimals are' : `At most ${scale} decimals are`;
    return refuse('too_many_decimals', `${allowed} allowed; this has ${fraction.length}.`, { scale });
  }
  if (whole !== '0' && whole.length > precision - scale) {
    const digits = precision - scale;
    return refuse('number_too_large', `At most ${digits} digits before the decimal point; this has ${whole.length}.`, {
      digits,
    });
  }
  const zero = whole === '0' && fraction === '';
  return accept(`${zero ? '' : sign}${whole}${scale > 0 ? `.${fraction.padEnd(scale, '0')}` : ''}`);
}

/** Refuses a decimal outside its bounds (decimal strings, inclusive). */
export function withinBounds(parsed: Parsed, min: string | null, max: string | null): Parsed {
  if ('error' in parsed || typeof parsed.value !== 'string') return parsed;
  const value = new Decimal(parsed.value);
  if (min !== null && value.lessThan(min)) return refuse('too_small', `At least ${min}.`, { min });
  if (max !== null && value.greaterThan(max)) return refuse('too_large', `At most ${max}.`, { max });
  return parsed;
}

/**
 * Reads `1,200.50`, `1.200,50`, `1 200,50`, `(1,200)`, `٣٫٥` as a decimal string.
 * One comma is a thousands separator when three digits follow; in any other place it is ambiguous and refused, unless
 * `context.decimalMark` says what it is.
 */
export function readNumber(
  cell: string,
  context: ValueContext,
): { readonly number: string } | ReturnType<typeof refuse> {
  const bad = () => refuse('number', `“${cell.slice(0, 40)}” is not a number.`);
  let text = latinDigits(cell).replaceAll(/[\s\u00A0\u202F'’]/g, '');
  let negative = false;
  if (/^\(.+\)$/.test(text)) {
    negative = true;
    text = text.slice(1, -1);
  }
  const sign = /^[-−–]|[-−–]$/.exec(text);
  if (sign) {
    if (negative) return bad();
    negative = true;
    text = sign.index === 0 ? text.slice(1) : text.slice(0, -1);
  } else if (text.startsWith('+')) text = text.slice(1);

  if (!/^(?:\d[\d.,]*|[.,]\d+)$/.test(text)) return bad();
  const mark = decimalMark(text, context);
  if (mark === 'ambiguous') {
    return refuse(
      'ambiguous_number',
      `“${cell.slice(0, 40)}” can be read in two ways. Say which sign separates decimals.`,
    );
  }
  const at = mark === null ? -1 : text.lastIndexOf(mark);
  const whole = at < 0 ? text : text.slice(0, at);
  const fraction = at < 0 ? '' : text.slice(at + 1);
  if (/[.,]/.test(fraction)) return bad();
  // Groups of three, all with the same separator: `1,23,456` is a slip of the finger, not a number.
  if (/[.,]/.test(whole) && !/^\d{1,3}([.,])\d{3}(?:\1\d{3})*$/.test(whole)) return bad();
  const digits = whole.replaceAll(/[.,]/g, '').replace(/^0+(?=\d)/, '') || '0';
  return { number: `${negative ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}` };
}

function decimalMark(text: string, context: ValueContext): '.' | ',' | null | 'ambiguous' {
  const dot = text.lastIndexOf('.');
  const comma = text.lastIndexOf(',');
  if (context.decimalMark) return text.includes(context.decimalMark) ? context.decimalMark : null;
  if (dot >= 0 && comma >= 0) return dot > comma ? '.' : ',';
  if (dot >= 0) return text.indexOf('.') === dot ? '.' : null;
  if (comma < 0 || text.indexOf(',') !== comma) return null;
  return /^[1-9]\d{0,2},\d{3}$/.test(text) ? null : 'ambiguous';
}

export function latinDigits(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x0660))
    .replaceAll(/[۰-۹]/g, (digit) => String(digit.charCodeAt(0) - 0x06f0))
    .replaceAll('٫', '.')
    .replaceAll('٬', ',');
}
