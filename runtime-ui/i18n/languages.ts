/**
 * Languages of the browser and of the address as language tags `Intl` understands. Browsers also report what the system
 * is set to (`en-US@posix`, `C`), which `Intl` refuses with an exception.
 */

/** The canonical tag, without what only the system understands: `en_us@posix` → `en-US`. Null when it names no language. */
export function languageTag(text: string): string | null {
  const [tag = ''] = text.split(/[@.]/, 1);
  try {
    return new Intl.Locale(tag.replaceAll('_', '-')).baseName;
  } catch {
    return null;
  }
}

/** The reader's languages, the preferred first. */
export function browserLanguages(reported: readonly string[] = navigator.languages ?? []): readonly string[] {
  return reported.map(languageTag).filter((tag) => tag !== null);
}

/** The reader's own kind of a language: `en` in a browser set to `en-GB` writes dates as in Britain. */
export function regional(locale: string, languages = browserLanguages()): string {
  return languages.find((tag) => tag.startsWith(`${locale}-`)) ?? languageTag(locale) ?? 'en';
}

/** The first of the reader's languages that is spoken here. */
export function preferred(spoken: readonly string[], languages = browserLanguages()): string | undefined {
  return languages.map((tag) => new Intl.Locale(tag).language).find((language) => spoken.includes(language));
}
