/**
 * What other processes and the imports change about people reaches this process through the outbox: what is cached is
 * dropped within half a second, and a changed e-mail becomes the one to sign in with, once, whoever is running.
 */
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { RecordEvent } from '../jobs/dispatcher.ts';
import { Dispatcher } from '../jobs/dispatcher.ts';
import type { ModelSource } from '../model/tenant.ts';
import { Problem } from '../problem.ts';
import type { Identity } from './identity.ts';
import { TEAM, USER } from './people.ts';

export interface Followed {
  readonly database: Database;
  readonly models: ModelSource;
  readonly identity: Identity;
  readonly log: Logger;
}

/** @returns what ends it */
export async function followOutbox({ database, models, identity, log }: Followed): Promise<() => Promise<void>> {
  /** Name of the entity where it is one of ours. A tenant that is gone has no people. */
  const ours = async ({ tenant, entityId }: RecordEvent): Promise<string | null> => {
    try {
      const { model } = await models.get(tenant);
      return [USER, TEAM].find((name) => model.entities.get(name)?.id === entityId) ?? null;
    } catch (error) {
      if (error instanceof Problem && error.code === 'not_found') return null;
      throw error;
    }
  };

  const caches = new Dispatcher({ database, log, consumer: null });
  caches.subscribe(async (events) => {
    const tenants = new Set<string>();
    for (const event of events) {
      if (!tenants.has(event.tenant) && (await ours(event))) tenants.add(event.tenant);
    }
    for (const tenant of tenants) await identity.invalidate(tenant);
  });

  const logins = new Dispatcher({ database, log, consumer: 'logins', interval: 1000 });
  logins.subscribe(async (events) => {
    for (const event of events) {
      if (event.operation === 'create' || (await ours(event)) !== USER) continue;
      await identity.recordChanged(event.tenant, USER, event.recordId);
    }
  });

  await caches.start();
  await logins.start();
  return async () => {
    await caches.stop();
    await logins.stop();
  };
}
