/**
 * What others change is fetched anew where it is shown. The server tells it (server-sent events); where that does not
 * work, it is asked now and then. A page that nobody looks at listens to nothing and catches up when it is looked at.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { UiModel } from '../../engine/api/ui-model.ts';
import { request } from '../api/client.ts';
import { ApiProblem } from '../api/problem.ts';

interface Item {
  readonly entity: string;
  readonly id: string;
}

const ASK_MS = 20_000;
/** Many changes at once are fetched once. */
const CALM_MS = 800;

const listeners = new Set<(entities: ReadonlySet<string>) => void>();

/** Calls back when records of some entities (qualified names) have changed. @returns what ends it */
export function onChanged(listener: (entities: ReadonlySet<string>) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function itemsOf(data: unknown): readonly Item[] {
  const list: unknown = typeof data === 'object' && data !== null && 'data' in data ? data.data : [];
  return Array.isArray(list) ? list.filter(isItem) : [];
}

function isItem(item: unknown): item is Item {
  return typeof item === 'object' && item !== null && 'entity' in item && 'id' in item;
}

/** Where the changes stand now. Asked before any record is read: what changes while the first are read is told afterwards. */
export async function readMark(signal: AbortSignal): Promise<string> {
  try {
    const { body } = await request<{ next: string }>('GET', '/api/$changes', { signal });
    return body.next;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) throw error;
    // Screens do without.
    return '';
  }
}

/**
 * Follows the changes as long as it is mounted.
 * @param mark what was before it is known
 */
export function useLive(model: UiModel, mark: string): void {
  const client = useQueryClient();
  const position = useRef(mark);
  useEffect(() => {
    let source: EventSource | null = null;
    let asking: ReturnType<typeof setTimeout> | undefined;
    let calm: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const changed = new Map<string, Set<string>>();

    const fetchAnew = () => {
      calm = undefined;
      const entities = new Set(changed.keys());
      for (const [name, ids] of changed) {
        const url = model.entities[name]?.url;
        for (const id of ids) {
          void client.invalidateQueries({ queryKey: ['record', url, id] });
          void client.invalidateQueries({ queryKey: ['history', url, id] });
        }
      }
      changed.clear();
      void client.invalidateQueries({ queryKey: ['records'] });
      for (const listener of listeners) listener(entities);
    };
    const take = (items: readonly Item[]) => {
      for (const { entity, id } of items) changed.set(entity, (changed.get(entity) ?? new Set()).add(id));
      if (items.length > 0) calm ??= setTimeout(fetchAnew, CALM_MS);
    };
    const everything = () => {
      position.current = '';
      void client.invalidateQueries({ queryKey: ['record'] });
      void client.invalidateQueries({ queryKey: ['records'] });
      for (const listener of listeners) listener(new Set(Object.keys(model.entities)));
    };

    const ask = async () => {
      if (ended || document.hidden) return;
      try {
        const since = position.current === '' ? '' : `?since=${position.current}`;
        const { body } = await request<{ next: string }>('GET', `/api/$changes${since}`);
        if (position.current === '') everything();
        take(itemsOf(body));
        position.current = body.next;
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 410) everything();
        if (error instanceof ApiProblem && error.status === 401) return;
      }
      asking = setTimeout(() => void ask(), ASK_MS);
    };

    const listen = () => {
      const since = position.current === '' ? '' : `?since=${position.current}`;
      source = new EventSource(`/api/$events${since}`);
      source.addEventListener('ready', (event) => {
        position.current = event.lastEventId;
      });
      source.addEventListener('change', (event) => {
        position.current = event.lastEventId;
        take(itemsOf(JSON.parse(event.data)));
      });
      source.addEventListener('reset', everything);
      source.addEventListener('error', () => {
        // A stream that broke comes back by itself; one that was refused does not.
        if (source?.readyState !== EventSource.CLOSED) return;
        source = null;
        asking = setTimeout(() => void ask(), ASK_MS);
      });
    };
    const quiet = () => {
      source?.close();
      source = null;
      clearTimeout(asking);
    };
    const look = () => {
      quiet();
      if (!document.hidden) listen();
    };
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      ended = true;
      document.removeEventListener('visibilitychange', look);
      clearTimeout(calm);
      quiet();
    };
  }, [client, model]);
}
