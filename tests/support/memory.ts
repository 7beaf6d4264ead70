/** Memory of a process as Linux tells it. */
import { readFile } from 'node:fs/promises';

export interface MemoryWatch {
  /** Megabytes at most since the last time this was asked. */
  lap(): number;
  /** Megabytes now; `null` where there is no /proc. */
  now(): Promise<number | null>;
  /** Megabytes at most since the process began; `null` where there is no /proc. */
  peak(): Promise<number | null>;
  stop(): void;
}

/** Looks ten times a second; what comes and goes between two looks is in {@link MemoryWatch.peak} alone. */
export function watchMemory(pid: number | undefined): MemoryWatch {
  let most = 0;
  const look = async () => {
    const now = await resident(pid, 'VmRSS');
    most = Math.max(most, now ?? 0);
    return now;
  };
  const timer = setInterval(() => void look(), 100);
  return {
    lap: () => {
      const lap = most;
      most = 0;
      return lap;
    },
    now: look,
    peak: () => resident(pid, 'VmHWM'),
    stop: () => clearInterval(timer),
  };
}

async function resident(pid: number | undefined, key: 'VmRSS' | 'VmHWM'): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return kilobytes === undefined ? null : Math.round(Number(kilobytes) / 1024);
}
