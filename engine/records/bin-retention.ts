/**
 * Empties the bins of organisations that say how long deleted records are kept (`bin.keepDays` of an entity). A record
 * that others still refer to stays until they are gone.
 */
import type { Clock } from '#engine/clock.ts';
import type { Database } from '#engine/db/database.ts';
import { sessionOf } from '#engine/db/database.ts';
import { isDatabaseError } from '#engine/db/database-error.ts';
import { arrayText, qualified } from '#engine/db/identifiers.ts';
import { gateSession, systemPrincipal } from '#engine/identity/service-principals.ts';
import type { Entity } from '#engine/model/model.ts';
import type { ModelSource, Tenant } from '#engine/model/tenant.ts';
import { purgeName } from '#engine/schema/purge.ts';

const DAY = 24 * 3_600_000;
/** Records purged in one transaction. */
const BATCH = 100;
/** Records of one entity in one round of housekeeping; the rest waits for the next. */
const MOST = 10_000;

interface Keepers {
  readonly database: Database;
  readonly models: ModelSource;
  readonly clock: Clock;
}

/** @returns how many records were purged */
export async function emptyBins(services: Keepers): Promise<number> {
  let purged = 0;
  for (const key of await tenantsWithLimits(services.database)) {
    const { tenant, model } = await services.models.get(key);
    for (const entity of model.entities.values()) purged += await emptyBin(services, tenant, entity);
  }
  return purged;
}

/** Whose current release says anything of the kind: to load the model of every organisation each hour would be too much. */
async function tenantsWithLimits(database: Database): Promise<readonly string[]> {
  const [result] = await database.batch(gateSession('housekeeping'), [
    {
      text: `select t.key from armature.tenant t join armature.release r on r.tenant_id = t.id and r.number = t.release where r.source::text like '%"keepDays"%' order by t.key`,
      values: [],
    },
  ]);
  return (result?.rows ?? []).map(([key]) => key ?? '');
}

async function emptyBin({ database, clock }: Keepers, tenant: Tenant, entity: Entity): Promise<number> {
  if (entity.keepDays === null || !entity.softDelete || entity.parent !== null) return 0;
  const session = sessionOf(systemPrincipal(tenant, 'bin'));
  const table = qualified(tenant.names.schema, entity.table);
  const before = new Date(clock.now() - entity.keepDays * DAY).toISOString();
  const purge = async (ids: readonly string[]): Promise<boolean> => {
    const call = `select ${qualified(tenant.names.schema, purgeName(entity))}($1::uuid[])`;
    return database.batch(session, [{ text: call, values: [arrayText(ids)] }]).then(
      () => true,
      (error: unknown) => {
        // Referred to, or restored in this moment.
        if (isDatabaseError(error) && (error.code === '23503' || error.code === 'AR002')) return false;
        throw error;
      },
    );
  };
  const held: string[] = [];
  let purged = 0;
  while (purged + held.length < MOST) {
    const [found] = await database.batch(session, [
      {
        text: `select x.id from ${table} x where x.deleted_at < $1::timestamptz and x.id <> all ($2::uuid[]) order by x.deleted_at limit ${BATCH}`,
        values: [before, arrayText(held)],
      },
    ]);
    const ids = (found?.rows ?? []).map(([id]) => id ?? '');
    if (ids.length === 0) break;
    if (await purge(ids)) {
      purged += ids.length;
      continue;
    }
    for (const id of ids) {
      if (await purge([id])) purged += 1;
      else held.push(id);
    }
  }
  return purged;
}
