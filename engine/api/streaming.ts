/** What long answers share: writing no faster than the client reads, and ending when their reader's rights end. */
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Principal } from '../identity/principal.ts';
import { Problem } from '../problem.ts';
import type { Authenticator } from './authenticate.ts';

/** Milliseconds between looks at the rights of whoever reads a long answer. */
export const RIGHTS_INTERVAL = 1000;
/** Milliseconds in which a client has to take something. */
export const STALL = 60_000;

/**
 * Writes what comes, as fast as it is taken. The stream is destroyed when the client goes away, or takes nothing of what
 * waits for it.
 * @param stall milliseconds in which the client has to take something
 * @returns whether the client is still there
 * @throws the stream's own error
 */
export async function pour(stream: Readable, response: ServerResponse, stall: number = STALL): Promise<boolean> {
  const endWatch = destroyWith(stream, response);
  const stalled = () => response.destroy();
  response.on('timeout', stalled);
  try {
    for await (const chunk of stream) {
      if (response.destroyed) return false;
      if (response.write(chunk)) continue;
      // Whoever waits for Postgres has not stalled: only what waits for them counts.
      response.setTimeout(stall);
      await drained(response);
      response.setTimeout(0);
    }
    return !response.destroyed;
  } catch (error) {
    if (response.destroyed) return false;
    throw error;
  } finally {
    response.off('timeout', stalled);
    endWatch();
    stream.destroy();
  }
}

/**
 * Destroys the stream when the client goes away.
 * @returns what ends the watch
 */
export function destroyWith(stream: Readable, response: ServerResponse): () => void {
  const left = () => stream.destroy();
  if (response.destroyed) left();
  response.once('close', left);
  return () => response.off('close', left);
}

/** Until the client has taken what waits for it, or is gone. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve();
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** Whether two principals are the same person with the same rights. */
export function sameRights(one: Principal, other: Principal): boolean {
  return (
    one === other ||
    (one.tenant === other.tenant &&
      one.userId === other.userId &&
      one.dbRole === other.dbRole &&
      one.team === other.team &&
      JSON.stringify([one.roles, one.teams, one.teamMembers, one.attributes]) ===
        JSON.stringify([other.roles, other.teams, other.teamMembers, other.attributes]))
  );
}

/**
 * Destroys the stream as soon as its reader may no longer act, or with other rights than before.
 * @returns what ends the watch
 */
export function watchRights(
  stream: Readable,
  identity: Authenticator,
  token: string,
  principal: Principal,
): () => void {
  const look = async () => {
    const now = await identity.authenticate(token);
    if (now && sameRights(now, principal)) return;
    stream.destroy(new Problem('forbidden', 'Your rights have changed. Start again.'));
  };
  const timer = setInterval(() => {
    // Not being able to ask is no reason to stop; the session's end is.
    look().catch(() => {});
  }, RIGHTS_INTERVAL);
  timer.unref();
  return () => clearInterval(timer);
}
