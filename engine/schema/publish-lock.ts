/** Advisory locks of a tenant: one publish at a time, one runner of its steps at a time. Numbers tell their purposes apart. */
import type { ClientBase } from 'pg';

const PUBLISH = 4_092_212;
const RUNNER = 4_092_213;
const AHEAD = 4_092_214;

/** Until the end of the transaction. @returns false when somebody else has it */
export async function tryPublishLock(client: ClientBase, tenantKey: string): Promise<boolean> {
  return held(client, 'pg_try_advisory_xact_lock', tenantKey, PUBLISH);
}

/** Until {@link releaseRunnerLock}, or the end of the connection. @returns false when another runner has it */
export async function tryRunnerLock(client: ClientBase, tenantKey: string): Promise<boolean> {
  return held(client, 'pg_try_advisory_lock', tenantKey, RUNNER);
}

export async function releaseRunnerLock(client: ClientBase, tenantKey: string): Promise<void> {
  await held(client, 'pg_advisory_unlock', tenantKey, RUNNER);
}

/** One conversion ahead of a publish at a time. Until {@link releaseAheadLock}, or the end of the connection. */
export async function tryAheadLock(client: ClientBase, tenantKey: string): Promise<boolean> {
  return held(client, 'pg_try_advisory_lock', tenantKey, AHEAD);
}

export async function releaseAheadLock(client: ClientBase, tenantKey: string): Promise<void> {
  await held(client, 'pg_advisory_unlock', tenantKey, AHEAD);
}

async function held(client: ClientBase, how: string, tenantKey: string, purpose: number): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(`select ${how}(hashtextextended($1, ${purpose})) as held`, [
    tenantKey,
  ]);
  return rows[0]?.held === true;
}
