/** What the plain world lacks: parts, references to what others own, histories, records in the bin. */
import type { Entity } from '#engine/model/model.ts';
import type { TestApp } from '../support/app.ts';
import { canaryValue, token } from './canary.ts';
import { TENANTS, type World, type WorldRecord } from './world.ts';

export async function enrich(app: TestApp, world: World): Promise<void> {
  for (const tenant of TENANTS) {
    const admin = await app.as(tenant, `admin@${tenant}.example`);
    const records = world.records.filter((record) => record.tenant === tenant);
    for (const entity of world.entities) {
      const own = records.filter((record) => record.entity === entity.name);
      for (const [index, record] of own.entries()) {
        const body: Record<string, unknown> = {};
        for (const field of entity.fields.values()) {
          if (field.system || field.readOnly) continue;
          // Whose member of a campaign is a contact or a lead stays so.
          const member = entity.key === 'campaign_member' && field.key !== 'campaign';
          if (
            field.reference &&
            field.type.key === 'reference' &&
            index % 2 === 0 &&
            !member &&
            field.companionOf === null
          ) {
            // Somebody else's, where the first was one's own.
            const others = records.filter((one) => one.entity === field.reference?.entity);
            const other = others[(index + 3) % others.length];
            if (other && other.id !== record.id) body[field.key] = other.id;
          }
          if (field.type.key === 'integer') body[field.key] = Number(field.options['min'] ?? 0) + 20 + index;
          const part = field.children && world.model.entities.get(field.children.entity);
          if (part) body[field.key] = { create: [partOf(part, records)] };
          if (field.type.key === 'long_text') body[field.key] = canaryValue(field, token());
        }
        const { status, text } = await admin.patch(`/api/${entity.path.replace('/', '/v1/')}/${record.id}`, body);
        if (status !== 200) throw new Error(`${entity.name}: ${text}`);
      }
    }
  }
}

function partOf(part: Entity, records: readonly WorldRecord[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of part.fields.values()) {
    if (field.system || field.readOnly || field.key === part.parent?.field) continue;
    if (field.reference) {
      const to = records.find(({ entity }) => entity === field.reference?.entity);
      if (field.required && to) values[field.key] = to.id;
      continue;
    }
    const value = field.type.key === 'integer' ? 3 : canaryValue(field, token());
    if (value !== null && (field.required || field.type.key === 'text')) values[field.key] = value;
  }
  return values;
}
