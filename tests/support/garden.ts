/** A garden: documents of an organisation for tests of publishing. */
import type { Plan } from '#engine/schema/plan.ts';
import type { TenantDocument } from '#engine/schema/source.ts';

export type Json = Readonly<Record<string, unknown>>;
export const keeper: TenantDocument = { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] };
export const may = (entity: string): TenantDocument => ({
  kind: 'permission',
  role: 'keeper',
  entity,
  actions: ['create', 'read', 'update', 'delete'],
});
export const plant = (fields: readonly Json[], more: Json = {}): readonly TenantDocument[] => [
  keeper,
  may('plant'),
  {
    kind: 'entity',
    key: 'plant',
    plural: 'plants',
    label: 'Plant',
    title: '{name}',
    history: true,
    softDelete: true,
    fields: [{ key: 'name', type: 'text', required: true }, ...fields],
    ...more,
  },
];
export const region = { key: 'region', type: 'text', label: 'Region', max: 40 };

/** Sentences of a plan's steps. */
export const titlesOf = async (plan: Promise<Plan>): Promise<readonly string[]> =>
  (await plan).steps.map(({ title }) => title);
