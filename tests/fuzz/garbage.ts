/** Structured garbage: values that look like what is expected and are not, and JSON with something wrong in it. */
import type { Random } from '#tests/support/random.ts';

export function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[random.below(values.length)];
  if (value === undefined) throw new RangeError('nothing to pick from');
  return value;
}

const LONG = 'x'.repeat(20_000);
const DEEP = `${'['.repeat(2000)}${']'.repeat(2000)}`;

/** Texts that have broken somebody's software before. */
const TEXTS = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e evil',
  'é'.normalize('NFD'),
  '🦆'.repeat(50),
  '%00',
  '%',
  '%ff%fe',
  "'; drop table armature.tenant; --",
  '" or ""="',
  '$1',
  '{}',
  '[]',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  '-0',
  '1e400',
  '0x10',
  '999999999999999999999999999999.99',
  '-',
  '2026-02-30',
  '0000-00-00',
  '+275760-09-13',
  '2026-01-01T00:00:00+99:99',
  '24:00:00',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  'core.user',
  '@me',
  '@today',
  '@now',
  '@{a.id}',
  '(((((((((',
  'name(id(id(id(id(id(id',
  'count(),sum(',
  '01900000-0000-7000-8000-000000000000',
  '01900000-0000-7000-8000-00000000000g',
  '<script>alert(1)</script>',
  '=cmd|calc',
  'javascript:alert(1)',
  'a,b,"c',
  '"""',
  '*',
  '-name',
  '--name',
  'won,lost',
  'true',
] as const;

const NUMBERS = [0, -0, 1, -1, 0.1, 1e21, 1e-21, 2 ** 31, 2 ** 53, -(2 ** 63), 1.7976931348623157e308] as const;

export function text(random: Random): string {
  const dice = random.next();
  if (dice < 0.01) return LONG;
  if (dice < 0.1)
    return String.fromCodePoint(...Array.from({ length: 1 + random.below(8) }, () => random.below(0xd7ff)));
  return pick(random, TEXTS);
}

export function value(random: Random, depth = 0): unknown {
  const dice = random.next();
  if (dice < 0.4) return text(random);
  if (dice < 0.55) return pick(random, NUMBERS);
  if (dice < 0.65) return random.next() < 0.5;
  if (dice < 0.72) return null;
  if (depth > 3) return [];
  if (dice < 0.85) return Array.from({ length: random.below(4) }, () => value(random, depth + 1));
  return Object.fromEntries(
    Array.from({ length: random.below(4) }, () => [
      pick(random, [
        'id',
        'name',
        'version',
        'and',
        'or',
        'not',
        'eq',
        'in',
        'some',
        'fact',
        'operator',
        'value',
        '__proto__',
        'key',
        'of',
        text(random),
      ]),
      value(random, depth + 1),
    ]),
  );
}

/** The value with a few places inside it changed, doubled, renamed or taken away. */
export function mutated(random: Random, original: unknown): unknown {
  let result: unknown = structuredClone(original);
  for (let times = 1 + random.below(3); times > 0; times -= 1) result = mutateOnce(random, result);
  return result;
}

function mutateOnce(random: Random, whole: unknown): unknown {
  if (typeof whole !== 'object' || whole === null || random.next() < 0.15) return value(random);
  const keys = Object.keys(whole);
  const key = keys.length > 0 ? pick(random, keys) : undefined;
  if (Array.isArray(whole)) {
    const copy: unknown[] = [...whole];
    const index = random.below(copy.length + 1);
    const dice = random.next();
    if (dice < 0.2) copy.splice(index, 1);
    else if (dice < 0.35 && copy.length > 0) copy.push(copy[random.below(copy.length)]);
    else if (dice < 0.4) return Array.from({ length: 1500 }, () => copy[0]);
    else copy[index] = mutateOnce(random, copy[index]);
    return copy;
  }
  const entries = new Map<string, unknown>(Object.entries(whole));
  const dice = random.next();
  if (key === undefined || dice < 0.15) entries.set(text(random).slice(0, 40), value(random));
  else if (dice < 0.3) entries.delete(key);
  else if (dice < 0.4) {
    entries.set(`${key}x`, entries.get(key));
    entries.delete(key);
  } else entries.set(key, mutateOnce(random, entries.get(key)));
  return Object.fromEntries(entries);
}

/** JSON text, now and then broken. */
export function jsonText(random: Random, body: unknown): string {
  const whole = JSON.stringify(body) ?? 'null';
  const dice = random.next();
  if (dice < 0.9) return whole;
  if (dice < 0.92) return whole.slice(0, random.below(whole.length + 1));
  if (dice < 0.94) return `${whole}}`;
  if (dice < 0.95) return DEEP;
  if (dice < 0.96) return '';
  if (dice < 0.97) return `{"name":"a","name":"b","__proto__":{"admin":true}}`;
  if (dice < 0.98) return `\ufeff${whole}`;
  return whole.replaceAll('"', "'");
}
