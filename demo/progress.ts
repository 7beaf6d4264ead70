/** How far the demo organisation has come: a note in the installation's folder, so that an interrupted start is taken up again. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEMO_NOTE } from '../engine/home.ts';

export interface Progress {
  /** The day the two years of business end, milliseconds since the epoch: the data depend on it. */
  readonly today: number;
  readonly done: boolean;
}

export async function readProgress(home: string): Promise<Progress | null> {
  try {
    const note: unknown = JSON.parse(await readFile(join(home, DEMO_NOTE), 'utf8'));
    if (typeof note !== 'object' || note === null || !('today' in note) || !('done' in note)) return null;
    return typeof note.today === 'number' && typeof note.done === 'boolean'
      ? { today: note.today, done: note.done }
      : null;
  } catch {
    return null;
  }
}

export async function writeProgress(home: string, progress: Progress): Promise<void> {
  const file = join(home, DEMO_NOTE);
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(progress)}\n`);
  await rename(`${file}.${process.pid}`, file);
}
