/** The fields that every record has, kept by the engine. */
import type { EntityDocument, FieldDocument } from './documents.ts';
import { CORE } from './documents.ts';

/** Qualified names of the engine's two entities. */
export const USER_ENTITY = `${CORE}.user`;
export const TEAM_ENTITY = `${CORE}.team`;

/** In the order in which they stand in {@link import('./model.ts').Entity.fields}, before the entity's own. */
export function systemFields(entity: Pick<EntityDocument, 'owner' | 'softDelete'>): readonly FieldDocument[] {
  return [
    { key: 'id', type: 'uuid', label: 'ID', required: true },
    { key: 'version', type: 'integer', label: 'Version', required: true },
    { key: 'created_at', type: 'datetime', label: 'Created at', required: true },
    { key: 'created_by', type: 'user', label: 'Created by' },
    { key: 'updated_at', type: 'datetime', label: 'Updated at', required: true },
    { key: 'updated_by', type: 'user', label: 'Updated by' },
    ...(entity.owner ? [{ key: 'owner', type: 'user', label: 'Owner', index: true }] : []),
    ...(entity.softDelete ? [{ key: 'deleted_at', type: 'datetime', label: 'Deleted at' }] : []),
  ];
}
