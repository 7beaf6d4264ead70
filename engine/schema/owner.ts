/** What the owner of the tables may do, and how functions that act as the owner are kept from being misled. */
import type { PolicyState } from './state.ts';

/** Publishing fills and checks columns, and the definer functions write history and outbox, as the owner. */
export const OWNER: PolicyState = { role: 'armature_owner', command: 'all', using: 'true', check: 'true' };

/** What trigger functions may find by bare names: nothing of ours, and temporary objects last. */
export const PINNED = 'set search_path = pg_catalog, pg_temp';
