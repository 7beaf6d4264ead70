/** Values that name whom they belong to: a canary in an answer it should not be in is a leak, whatever the shape of the answer. */
import type { Field } from '#engine/model/model.ts';

/** A unique token: `CNRY` and 12 base-36 digits, in both cases so that e-mail addresses keep it recognisable. */
let counter = 0;

export function token(): string {
  counter++;
  return `cnry${counter.toString(36).padStart(6, '0')}x`;
}

/** Another number for each (below 300,000), and no even distances: the mean of some must not be one of the others. */
function scattered(count: number): number {
  return (3 * count * count + 7 * count) % 999_983;
}

/** Text, the words of a list, or an object. */
export type Canary = string | readonly string[] | Readonly<Record<string, string>>;

/** A value for a field that carries the token, or null when the type has no room for it. */
export function canaryValue(field: Field, mark: string): Canary | null {
  const digits = String(2_000_000 + scattered(Number.parseInt(mark.slice(4, 10), 36)));
  // A choice, a code of three letters: no canary is one.
  if (field.options['pattern'] !== undefined || field.readOnly || field.type.computed === true) return null;
  if (
    Number(field.options['max'] ?? Number.POSITIVE_INFINITY) < 3_000_000 &&
    /^(?:money|decimal)$/.test(field.type.key)
  )
    return null;
  switch (field.type.key) {
    case 'rich_text':
      return `<p>${mark} ${field.key}</p>`;
    case 'text':
    case 'long_text':
      return Number(field.options.max ?? 1000) < 60 ? mark : `${mark} ${field.key}`;
    case 'email':
      return `${mark}@canary.example`;
    case 'url':
      return `https://canary.example/${mark}`;
    case 'phone':
      return `+4930${digits}`;
    case 'tags':
      return [mark];
    case 'encrypted':
      return `${mark} ${field.key}`;
    case 'json':
      return { [field.key]: mark };
    case 'money':
      return `${digits}.41`;
    case 'decimal':
      return `${digits}.4`;
    default:
      return null;
  }
}

/** How a canary value would appear in an answer. */
export function trace(value: Canary): string {
  return (typeof value === 'string' ? value : (Object.values(value)[0] ?? '')).replaceAll(/<[^>]*>/g, '');
}
