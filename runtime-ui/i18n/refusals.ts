/**
 * Refusals of the server in the language of the screens, by their stable codes. English is the server's own; what an
 * organisation says itself (rules, steps) has no code here and comes from the server in its reader's language.
 */
import i18next from 'i18next';
import type { ApiProblem, ProblemDetail } from '../api/problem.ts';
import ar from '../locales/refusals.ar.json' with { type: 'json' };
import de from '../locales/refusals.de.json' with { type: 'json' };

interface Refusals {
  readonly problem: Readonly<Record<string, string>>;
  readonly detail: Readonly<Record<string, string>>;
}

const REFUSALS: Readonly<Record<string, Refusals>> = { ar, de };

/** One thing that is wrong, as a sentence for the place where it stands: beside its field. */
export function detailText(
  { code, message, params = {} }: ProblemDetail,
  language: string | undefined = i18next.language,
): string {
  const { detail } = refusalsIn(language) ?? {};
  const unit = typeof params['unit'] === 'string' ? `_${params['unit']}` : '';
  const text = detail?.[`${code}${unit}`];
  if (text === undefined) return message;
  let whole = true;
  const filled = text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = params[name];
    whole &&= typeof value === 'string' || typeof value === 'number';
    return String(value);
  });
  return whole ? filled : message;
}

/** What a problem is called. */
export function problemTitle({ code, title }: ApiProblem, language: string | undefined = i18next.language): string {
  return refusalsIn(language)?.problem[code] ?? title;
}

/** What a problem says beyond its title; empty when that is all. */
export function problemText({ detail, errors }: ApiProblem, language: string | undefined = i18next.language): string {
  if (!refusalsIn(language)) return detail;
  return [...new Set(errors.map((error) => detailText(error, language)))].join(' ');
}

/** `undefined` before the screens have begun. */
const refusalsIn = (language: string | undefined): Refusals | undefined => REFUSALS[language?.split('-')[0] ?? ''];
