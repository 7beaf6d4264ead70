/** Which language a person gets the model in. Its texts themselves are in `model/texts.ts`. */
import type { Model } from '../model/model.ts';

/** ISO 639 languages that are written from right to left. */
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar', 'ckb', 'dv', 'fa', 'he', 'ps', 'sd', 'ug', 'ur', 'yi']);
const SOURCE_LOCALE = 'en';

function languageOf(locale: string): string {
  return locale.split('-')[0] ?? locale;
}

export function directionOf(locale: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(languageOf(locale)) ? 'rtl' : 'ltr';
}

/** The locales the model can be shown in, each named in its own language. */
export function localesOf(model: Model): readonly { readonly key: string; readonly label: string }[] {
  const keys = new Set([SOURCE_LOCALE, ...[...model.translations.keys()].sort()]);
  return [...keys].map((key) => ({ key, label: new Intl.DisplayNames([key], { type: 'language' }).of(key) ?? key }));
}

/** The first wish that there is, exactly or by its language; English otherwise. */
export function chooseLocale(model: Model, wishes: readonly (string | null | undefined)[]): string {
  const known = new Set([SOURCE_LOCALE, ...model.translations.keys()]);
  for (const wish of wishes) {
    if (!wish) continue;
    if (known.has(wish)) return wish;
    const language = languageOf(wish);
    if (known.has(language)) return language;
  }
  return SOURCE_LOCALE;
}
