/** Reading a number as people type it into the decimal string the API wants. */

const ARABIC = '٠١٢٣٤٥٦٧٨٩';
const PERSIAN = '۰۱۲۳۴۵۶۷۸۹';

/**
 * `1,234.50`, `1234.5 `, `١٢٣٤٫٥` → `1234.50`, `1234.5`, `1234.5`. What is no number stays as typed, so that the form can say so.
 * A single comma with other than three digits behind it is a decimal comma: `12,5` → `12.5`.
 */
export function readDecimal(typed: string): string {
  let text = Array.from(typed.trim(), latinDigit)
    .join('')
    .replaceAll('٫', '.')
    .replaceAll(/[\s\u00a0\u202f'٬]/g, '');
  const commas = text.split(',').length - 1;
  if (commas === 1 && !text.includes('.') && !/,\d{3}$/.test(text)) text = text.replace(',', '.');
  else text = text.replaceAll(',', '');
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? tidy(text) : typed.trim();
}

function latinDigit(letter: string): string {
  const at = Math.max(ARABIC.indexOf(letter), PERSIAN.indexOf(letter));
  return at < 0 ? letter : String(at);
}

function tidy(text: string): string {
  const sign = text.startsWith('-') ? '-' : '';
  const body = text.replace(/^[+-]/, '').replace(/\.$/, '');
  return sign + (body.startsWith('.') ? `0${body}` : body);
}
