/** Long computations in pieces: a server has one thread, and whoever asks it something meanwhile would wait for all of it. */
import { setImmediate } from 'node:timers/promises';

/** Milliseconds that nobody notices. */
const PIECE = 20;

/**
 * Lets everybody be answered who asked meanwhile. Twice: after the first, the loop may not yet have looked at what has
 * come in.
 */
export async function breathe(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** A computation that says where it can be interrupted, and {@link breathe}s there when it has taken its time. */
export async function besideOthers<T>(work: Iterator<void, T>): Promise<T> {
  for (let since = performance.now(); ; ) {
    const piece = work.next();
    if (piece.done) return piece.value;
    if (performance.now() - since < PIECE) continue;
    await breathe();
    since = performance.now();
  }
}

/** The same without a break. */
export function atOnce<T>(work: Iterator<void, T>): T {
  for (;;) {
    const piece = work.next();
    if (piece.done) return piece.value;
  }
}
