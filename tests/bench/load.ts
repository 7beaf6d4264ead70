/** Load from this process, bounded in time and connections, against addresses on this machine only. */
import autocannon from 'autocannon';
import { cpuOf } from './cpu.ts';

export interface Target {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly requests: readonly autocannon.Request[];
  /** Each connection begins somewhere else in the requests; without it all begin with the first. */
  readonly scattered?: boolean;
  /** Whose processor time counts: the server's and Postgres's. */
  readonly pids: readonly number[];
}

export interface Measure {
  /** Answers per second. */
  readonly rate: number;
  /** Milliseconds; p97 is the 97.5th percentile. */
  readonly p50: number;
  readonly p97: number;
  /** Microseconds of processor time for one answer, the server's and Postgres's together. */
  readonly cpu: number;
  /** Answers that were not 2xx, connection errors and timeouts. */
  readonly errors: number;
}

/**
 * @param seconds how long; the first answers count as well, so warm up before
 * @throws RangeError for an address that is not on this machine
 */
export async function load(target: Target, connections: number, seconds: number): Promise<Measure> {
  if (new URL(target.url).hostname !== '127.0.0.1') throw new RangeError('load goes to this machine only');
  const requests = [...target.requests];
  let connection = 0;
  const scatter = (client: autocannon.Client) => {
    const from = Math.floor((connection++ * requests.length) / connections) % requests.length;
    client.setRequests([...requests.slice(from), ...requests.slice(0, from)]);
  };
  const before = await cpuOf(target.pids);
  const result = await autocannon({
    url: target.url,
    connections,
    duration: seconds,
    requests,
    timeout: 30,
    ...(target.scattered && { setupClient: scatter }),
  });
  return {
    rate: result.requests.total / result.duration,
    p50: result.latency.p50,
    p97: result.latency.p97_5,
    cpu: ((await cpuOf(target.pids)) - before) / Math.max(1, result.requests.total),
    errors: result.errors + result.timeouts + result.non2xx,
  };
}

export interface Comparison {
  readonly product: Measure;
  readonly baseline: Measure;
  /** Median over the rounds of product rate / baseline rate. */
  readonly ratio: number;
  /** Median of baseline processor time / product processor time for one answer. */
  readonly cpu: number;
  /** The smallest and the largest of the rounds. */
  readonly spread: readonly [number, number];
}

/**
 * Rounds alternate, so that whatever else this machine does hits both; each round gives one ratio.
 * @param options.warm seconds of load on each before anything is measured (default: as long as three rounds): what is
 *   measured is a server that has been running
 */
export async function compare(
  product: Target,
  baseline: Target,
  options: { rounds: number; seconds: number; connections: number; warm?: number },
): Promise<Comparison> {
  const { rounds, seconds, connections, warm = 3 * seconds } = options;
  const measures: { product: Measure; baseline: Measure }[] = [];
  await load(product, connections, warm);
  await load(baseline, connections, warm);
  for (let round = 0; round < rounds; round++) {
    // The order changes from round to round: who goes first pays for the other's dirty pages.
    if (round % 2 === 0) {
      const first = await load(product, connections, seconds);
      measures.push({ product: first, baseline: await load(baseline, connections, seconds) });
    } else {
      const first = await load(baseline, connections, seconds);
      measures.push({ baseline: first, product: await load(product, connections, seconds) });
    }
  }
  const ratios = measures.map((round) => round.product.rate / round.baseline.rate).sort((a, b) => a - b);
  const cpus = measures.map((round) => round.baseline.cpu / round.product.cpu).sort((a, b) => a - b);
  return {
    cpu: cpus[Math.floor(cpus.length / 2)] ?? 0,
    product: median(measures.map((round) => round.product)),
    baseline: median(measures.map((round) => round.baseline)),
    ratio: ratios[Math.floor(ratios.length / 2)] ?? 0,
    spread: [ratios[0] ?? 0, ratios.at(-1) ?? 0],
  };
}

/** The measure with the median rate; errors are added up, because one is too many. */
function median(measures: readonly Measure[]): Measure {
  const sorted = [...measures].sort((a, b) => a.rate - b.rate);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? { rate: 0, p50: 0, p97: 0, cpu: 0, errors: 0 };
  return { ...middle, errors: measures.reduce((sum, measure) => sum + measure.errors, 0) };
}
