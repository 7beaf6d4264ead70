/**
 * Large writes take turns. A thousand records are tens of megabytes while they are checked, sent and answered, and a
 * second of Postgres's time: a few at once keep the memory flat and leave connections to everybody else.
 */
import type { IncomingMessage } from 'node:http';
import { isPart } from './body.ts';

/** Bytes from which a body counts as large. */
const LARGE = 64 * 1024;
/** Large writes of this process at the same time. */
const TOGETHER = 3;

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Runs a write when it is its turn: at once when it is small, or a part of one that has its turn.
 * @param bytes its body, read before: whoever sends slowly keeps nobody waiting
 */
export async function inTurn<T>(request: IncomingMessage, bytes: Buffer, run: () => Promise<T>): Promise<T> {
  if (bytes.length < LARGE || isPart(request)) return run();
  if (running >= TOGETHER) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await run();
  } finally {
    // The turn goes to whoever has waited longest.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}
