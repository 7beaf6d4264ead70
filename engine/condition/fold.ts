/**
 * What a text is compared by when people search: without case, accents, vowel signs and punctuation, words apart by one
 * blank, and a blank in front. The twin of `armature.fold` in Postgres; a property test holds the two equal.
 *
 * Letters of other scripts become Latin ones, one for one: the trigrams of Postgres's `pg_trgm` know ASCII alone in a
 * database without a language of its own.
 */

/** Signs on letters (after NFKD), and the stroke that only makes an Arabic word longer. */
export const MARKS =
  '\\u0300-\\u036F\\u0591-\\u05BD\\u05BF\\u05C1\\u05C2\\u0610-\\u061A\\u0640\\u064B-\\u065F\\u0670\\u06D6-\\u06DC';

/** What stands between words: everything in ASCII, Latin-1 and the punctuation blocks that is no letter and no digit. */
export const GAPS =
  '\\u0001-\\u002F\\u003A-\\u0040\\u005B-\\u0060\\u007B-\\u00A9\\u00AB-\\u00B1\\u00B4\\u00B6-\\u00B8\\u00BB\\u00BF\\u00D7\\u00F7\\u055A-\\u055F\\u05BE\\u05C0\\u05C3\\u05F3\\u05F4\\u060C\\u061B\\u061F\\u066A-\\u066D\\u06D4\\u2000-\\u206F\\u3000-\\u3004\\u3008-\\u3020\\uFF01-\\uFF0F';

const SCRIPTS: readonly (readonly [letters: string, latin: string])[] = [
  ['ıłøđðþŧħŋ', 'ilodd8thn'],
  ['ابتثجحخدذرزسشصضطظعغفقكلمنهويءىةپچگڤک', 'abt0j75d4rzsx91683gfqklmnhwy2yhpcovk'],
  ['абвгдежзиклмнопрстуфхцчшщъыьэюяіґє', 'abvgde0ziklmnoprstufhc4w67y8391ige'],
  ['αβγδεζηθικλμνξοπρστυφχψω', 'abgdezh8iklmnxoprstufc9w'],
  ['אבגדהוזחטיכךלמםנןסעפףצץקרשת', 'abgdhwz76ykklmmnns3ppccqrxt'],
];

/** Letters and what they become, for `translate` as well. */
export const LETTERS = SCRIPTS.map(([letters]) => letters).join('');
export const LATIN = SCRIPTS.map(([, latin]) => latin).join('');

const latin = new Map(Array.from(LETTERS).map((letter, index) => [letter, LATIN[index] ?? '']));
const marks = new RegExp(`[${MARKS}]`, 'g');
const gaps = new RegExp(`[${GAPS}]+`, 'g');
const foreign = new RegExp(`[${LETTERS}]`, 'g');

/** Most of what is typed. */
const PLAIN = /^[ -~]*$/;

/** `"Müller & Söhne, Köln"` → `" muller sohne koln"` */
export function fold(text: string): string {
  if (PLAIN.test(text)) return ` ${text.toLowerCase().replace(gaps, ' ').trim()}`;
  const plain = text.normalize('NFKD').replace(marks, '').replaceAll(/[Σς]/g, 'σ').toLowerCase();
  const letters = plain
    .replace(marks, '')
    .replaceAll('ß', 'ss')
    .replaceAll('æ', 'ae')
    .replaceAll('œ', 'oe')
    .replace(foreign, (letter) => latin.get(letter) ?? letter);
  return ` ${letters.replace(gaps, ' ').replaceAll(/^ +| +$/g, '')}`;
}

/** The words of a searched text, folded; without repetition. */
export function wordsOf(text: string): string[] {
  return [
    ...new Set(
      fold(text)
        .split(' ')
        .filter((word) => word !== ''),
    ),
  ];
}

/** Shorter ones stand at the beginning of a word: in the middle they would be found everywhere. */
const ANYWHERE = 3;

/** The LIKE pattern that finds a folded word in a folded text. No folded word has a sign that LIKE knows. */
export function wordPattern(word: string): string {
  return lengthOf(word) < ANYWHERE ? `% ${word}%` : `%${word}%`;
}

/** Whether a folded word is found in a text, as {@link wordPattern} has it. */
export function hasWord(text: string, word: string): boolean {
  return fold(text).includes(lengthOf(word) < ANYWHERE ? ` ${word}` : word);
}

/** In characters, as Postgres counts. */
function lengthOf(word: string): number {
  return Array.from(word).length;
}
