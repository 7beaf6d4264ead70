/**
 * Redis, when the installation has one: it hands out jobs, tells processes of each other's changes, and keeps what is
 * asked for often. Nothing is in it that is nowhere else: without it everything is slower and nothing is wrong.
 */
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { StartupError } from '#engine/db/startup-error.ts';

export interface RedisOptions {
  /** `redis://` or `rediss://`, with user and password where it wants them. */
  readonly url: string;
  /** Begins every key and channel, so that installations can share a server. */
  readonly prefix: string;
  readonly log: Logger;
  /** Milliseconds a command may take before whoever asked goes on without an answer (default 250). */
  readonly patience?: number;
}

const PATIENCE = 250;
/** Milliseconds between attempts to connect at most. */
const LONGEST_PAUSE = 2000;

/**
 * A connection that answers or fails at once: for caches, which do without.
 * @throws StartupError when the server cannot be reached at the start
 */
export async function connectRedis({
  url,
  log,
  patience = PATIENCE,
}: Pick<RedisOptions, 'url' | 'log' | 'patience'>): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: patience,
    retryStrategy: (times) => Math.min(50 * times, LONGEST_PAUSE),
  });
  watch(redis, log);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    const { host } = new URL(url);
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      `Redis at ${host} cannot be reached (${reason}). Check that it runs and that REDIS_URL is right.`,
      {
        cause: error,
      },
    );
  }
  return redis;
}

/** A connection that waits for the server to come back: for workers, and for those who listen. */
export function waitingRedis({ url, log }: Pick<RedisOptions, 'url' | 'log'>): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(50 * times, LONGEST_PAUSE),
  });
  watch(redis, log);
  return redis;
}

/** One line when it is lost and one when it is back, not one for every attempt. */
function watch(redis: Redis, log: Logger): void {
  let lost = false;
  redis.on('error', (error: unknown) => {
    if (lost) return;
    lost = true;
    log.warn({ err: error }, 'Redis is lost; going on without it');
  });
  redis.on('ready', () => {
    if (lost) log.info('Redis is back');
    lost = false;
  });
}
