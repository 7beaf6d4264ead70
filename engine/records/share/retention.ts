/**
 * Shares whose end has passed are ended, so that whoever follows the changes hears of it, and shares that ended long
 * ago are forgotten.
 */
import type { Clock } from '#engine/clock.ts';
import type { Database } from '#engine/db/database.ts';
import { sessionOf } from '#engine/db/database.ts';
import { qualified } from '#engine/db/identifiers.ts';
import { gateSession, systemPrincipal } from '#engine/identity/service-principals.ts';
import type { ModelSource } from '#engine/model/tenant.ts';
import { SHARES } from '#engine/schema/shares.ts';

/** How long it can be told who had access, after they have lost it. */
const KEPT = 365 * 24 * 3_600_000;

export interface ShareKeepers {
  readonly database: Database;
  readonly models: ModelSource;
  readonly clock: Clock;
}

export async function keepShares({ database, models, clock }: ShareKeepers): Promise<void> {
  const before = new Date(clock.now() - KEPT).toISOString();
  for (const key of await tenantsThatShare(database)) {
    const { tenant, model } = await models.get(key);
    if (![...model.entities.values()].some(({ sharing }) => sharing)) continue;
    const shares = qualified(tenant.names.schema, SHARES);
    await database.batch(sessionOf(systemPrincipal(tenant, 'shares')), [
      {
        text: `update ${shares} s set ended_at = armature.now() where s.ended_at is null and s.until <= armature.now()`,
        values: [],
      },
      { text: `delete from ${shares} s where s.ended_at < $1::timestamptz`, values: [before] },
    ]);
  }
}

/** Whose current release says anything of the kind: to load the model of every organisation each hour would be too much. */
async function tenantsThatShare(database: Database): Promise<readonly string[]> {
  const [result] = await database.batch(gateSession('housekeeping'), [
    {
      text: `select t.key from armature.tenant t join armature.release r on r.tenant_id = t.id and r.number = t.release where r.source::text like '%"sharing"%' order by t.key`,
      values: [],
    },
  ]);
  return (result?.rows ?? []).map(([key]) => key ?? '');
}
