/** A cell whose Postgres may be away for a while: the others go on, and it joins them when it is back. */
import type { Logger } from 'pino';
import type { Services } from '../services.ts';
import type { Cell } from './cells.ts';

/** Milliseconds between attempts to reach it. */
const PAUSE = 5000;

export interface OpenedCell {
  readonly services: Services;
  readonly close: () => Promise<void>;
}

/** @returns the cell, after the first attempt, and what closes it */
export async function reach(
  key: string,
  open: () => Promise<OpenedCell>,
  log: Logger,
): Promise<{ readonly cell: Cell; readonly close: () => Promise<void> }> {
  let opened: OpenedCell | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let attempt: Promise<void> = Promise.resolve();
  const next = async (): Promise<void> => {
    timer = null;
    try {
      opened = await open();
    } catch (error) {
      log.error({ cell: key, err: error }, 'a cell cannot be reached');
      if (closed) return;
      timer = setTimeout(() => {
        attempt = next();
      }, PAUSE);
      timer.unref();
    }
  };
  await (attempt = next());
  return {
    cell: { key, services: () => opened?.services ?? null },
    close: async () => {
      closed = true;
      if (timer) clearTimeout(timer);
      await attempt;
      await opened?.close();
    },
  };
}
