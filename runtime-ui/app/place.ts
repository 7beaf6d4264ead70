/**
 * Where the user is: a small router on the History API. Each entry knows its number, so that a Back that a guard
 * refuses can be undone in the right direction.
 */
import { useSyncExternalStore } from 'react';

export interface Place {
  /** `/crm/opportunities` */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly search: string;
}

/** Asked before the place changes; `false` stays. */
export type Guard = () => Promise<boolean>;

const listeners = new Set<() => void>();
let guard: Guard | null = null;
let index = 0;
let current: Place = { path: '/', search: '' };
/** A step that only undoes a refused Back must not ask again. */
let silent = false;

function read(): Place {
  return { path: window.location.pathname, search: window.location.search };
}

function tell(): void {
  current = read();
  for (const listener of listeners) listener();
}

function indexOf(state: unknown): number {
  return typeof state === 'object' && state !== null && 'index' in state && typeof state.index === 'number'
    ? state.index
    : 0;
}

/** Starts listening to Back and Forward. Once, at start. */
export function startRouter(): void {
  index = indexOf(window.history.state);
  window.history.replaceState({ index }, '');
  current = read();
  window.addEventListener('popstate', (event) => {
    const next = indexOf(event.state);
    const step = next - index;
    index = next;
    if (silent || !guard) {
      silent = false;
      tell();
      return;
    }
    const ask = guard;
    silent = true;
    window.history.go(-step);
    void ask().then((leave) => {
      if (!leave) return;
      guard = null;
      window.history.go(step);
    });
  });
}

/** Goes to an address of this application, after the guard agreed. */
export async function navigate(
  to: string,
  options: { readonly replace?: boolean; readonly force?: boolean } = {},
): Promise<void> {
  const samePage = new URL(to, window.location.href).pathname === current.path;
  if (guard && !options.force && !samePage && !(await guard())) return;
  if (!samePage) guard = null;
  if (options.replace) {
    window.history.replaceState({ index }, '', to);
  } else {
    index += 1;
    window.history.pushState({ index }, '', to);
    if (!samePage) window.scrollTo(0, 0);
  }
  tell();
}

/** Installs the guard; returns the way to remove it. */
export function guardPlace(ask: Guard): () => void {
  guard = ask;
  return () => {
    if (guard === ask) guard = null;
  };
}

export function usePlace(): Place {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
