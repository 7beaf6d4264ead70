/** Texts of the screens themselves. Labels of the organisation's own things come translated with the model. */
import { changeLanguage, use } from 'i18next';
import { initReactI18next } from 'react-i18next';
import ar from '../locales/ar.json' with { type: 'json' };
import de from '../locales/de.json' with { type: 'json' };
import en from '../locales/en.json' with { type: 'json' };
import { languageTag, preferred } from './languages.ts';

const KEY = 'armature.locale';
/** Languages the screens themselves speak; the model may know more, the texts then fall back to English. */
export const SCREEN_LOCALES = [
  { key: 'en', label: 'English' },
  { key: 'de', label: 'Deutsch' },
  { key: 'ar', label: 'العربية' },
] as const;

const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur']);

export function storedLocale(): string {
  const stored = localStorage.getItem(KEY);
  if (stored && languageTag(stored)) return stored;
  return preferred(SCREEN_LOCALES.map((locale) => locale.key)) ?? 'en';
}

export function directionOf(locale: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(locale.split('-')[0] ?? '') ? 'rtl' : 'ltr';
}

/** Makes the document speak the language; the caller tells React's direction provider. */
export async function speak(locale: string): Promise<void> {
  localStorage.setItem(KEY, locale);
  document.documentElement.lang = locale;
  document.documentElement.dir = directionOf(locale);
  await changeLanguage(locale);
}

export async function startI18n(locale: string): Promise<void> {
  await use(initReactI18next).init({
    lng: locale,
    fallbackLng: 'en',
    resources: { en: { translation: en }, de: { translation: de }, ar: { translation: ar } },
    interpolation: { escapeValue: false },
  });
}
