/**
 * What several processes ask for often, kept in Redis and told about when it changes.
 *
 * An entry belongs to a group (a tenant) and carries the group's turn, a counter that every change of the group moves on.
 * An entry of an earlier turn counts as missing, also when it is written after the change by somebody who had read before it.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { connectRedis, type RedisOptions, waitingRedis } from './redis.ts';

export interface SharedCache {
  /** What is known of the key, or what `load` says. Without an answer from Redis, what `load` says. `null` is not kept. */
  get(group: string, key: string, load: () => Promise<string | null>): Promise<string | null>;
  /** Forgets everything of the group, here and in other processes. Never fails: what cannot be told, time tells. */
  forget(group: string, detail?: string): Promise<void>;
  close(): Promise<void>;
}

/** Seconds an entry is kept: longer than that nobody goes on believing what Redis could not be told to forget. */
const KEPT = 30;

interface Entry {
  readonly turn: string;
  readonly text: string;
}

/**
 * @param onForgotten called when another process forgot something
 * @throws StartupError when Redis cannot be reached
 */
export async function openSharedCache(
  options: RedisOptions,
  name: string,
  onForgotten: (group: string, detail: string | undefined) => void,
): Promise<SharedCache> {
  const { prefix } = options;
  const redis = await connectRedis(options);
  const listener = waitingRedis(options);
  const own = randomUUID();
  const channel = `${prefix}:${name}:forgotten`;
  listener.on('message', (_, text: string) => {
    const [from, group, detail] = text.split(' ');
    if (from !== own && group) onForgotten(group, detail === '' ? undefined : detail);
  });
  await listener.subscribe(channel);
  const turnKey = (group: string) => `${prefix}:${name}:turn:${group}`;
  const entryKey = (group: string, key: string) => `${prefix}:${name}:entry:${group}:${key}`;
  return {
    get: async (group, key, load) => {
      const known = await read(redis, turnKey(group), entryKey(group, key));
      if (known === null) return load();
      if (known.entry?.turn === known.turn) return known.entry.text;
      const text = await load();
      if (text !== null)
        await redis
          .set(entryKey(group, key), JSON.stringify({ turn: known.turn, text } satisfies Entry), 'EX', KEPT)
          .catch(() => {});
      return text;
    },
    forget: async (group, detail = '') => {
      await redis
        .multi()
        .incr(turnKey(group))
        // Long after the last entry that could carry an earlier turn.
        .expire(turnKey(group), 100 * KEPT)
        .publish(channel, `${own} ${group} ${detail}`)
        .exec()
        .catch(() => {});
    },
    close: async () => {
      listener.disconnect();
      redis.disconnect();
    },
  };
}

async function read(
  redis: Redis,
  turnKey: string,
  entryKey: string,
): Promise<{ readonly turn: string; readonly entry: Entry | null } | null> {
  try {
    const [turn, entry] = await redis.mget(turnKey, entryKey);
    const parsed: Entry | null = entry ? JSON.parse(entry) : null;
    return { turn: turn ?? '0', entry: parsed };
  } catch {
    return null;
  }
}
