/** What tests of deadlines share: an entity that promises times, and the organisation's calendar. */
import type { BusinessHours } from '#engine/model/tenant.ts';
import type { Lab } from './lab.ts';

export const MINUTE = 60_000;
export const DAY = 86_400_000;

export const PROMISE = {
  kind: 'entity',
  key: 'promise',
  plural: 'promises',
  label: 'Promise',
  fields: [
    { key: 'name', type: 'text' },
    { key: 'slow', type: 'integer' },
    { key: 'quick', type: 'integer' },
  ],
};

/** Sets business hours and holidays. */
export async function setCalendar(lab: Lab, hours: BusinessHours, holidays: readonly string[] = []): Promise<void> {
  const { id } = lab.tenant;
  await lab.look('update armature.tenant set business_hours = $1 where id = $2', [JSON.stringify(hours), id]);
  await lab.look(
    `insert into armature.setting_value (tenant_id, setting, user_id, value) values ($1, 'core.holidays', null, $2)
     on conflict (tenant_id, setting, user_id) do update set value = excluded.value`,
    [id, JSON.stringify(holidays)],
  );
}
