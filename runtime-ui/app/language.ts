import { createContext, useContext } from 'react';

export interface Language {
  readonly locale: string;
  readonly change: (locale: string) => void;
}

export const LanguageContext = createContext<Language>({ locale: 'en', change: () => {} });
export function useLanguage(): Language {
  return useContext(LanguageContext);
}
