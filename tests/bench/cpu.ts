/**
 * Processor time as Linux counts it: what other work on the machine hardly changes, while rates move with it. A process
 * counts with its children, those that have ended included.
 */
import { readdir, readFile } from 'node:fs/promises';

/** Microseconds of one tick: `USER_HZ` is 100 on every Linux that Node runs on. */
const TICK = 10_000;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

/** @returns microseconds that the processes have taken so far, with their children; 0 where there is no /proc */
export async function cpuOf(pids: readonly number[]): Promise<number> {
  const entries = await readdir('/proc').catch(() => []);
  const stats = await Promise.all(entries.filter((name) => /^\d+$/.test(name)).map(readStat));
  const counted = stats.filter(
    (stat): stat is Stat => stat !== null && (pids.includes(stat.pid) || pids.includes(stat.parent)),
  );
  return counted.reduce((sum, { ticks }) => sum + ticks, 0) * TICK;
}

/** @see proc_pid_stat(5): after the name in brackets come state, parent, … utime, stime, cutime and cstime. */
async function readStat(pid: string): Promise<Stat | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const parent = Number(fields[1]);
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return text === '' || Number.isNaN(ticks) ? null : { pid: Number(pid), parent, ticks };
}
