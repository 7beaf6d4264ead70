/**
 * How far the outbox can be read without gaps (`armature.outbox_horizon()`, migration 0017). It is asked in a statement
 * of its own, and what is read in a later one of the same transaction: only a snapshot taken afterwards has everything
 * below it.
 */
import type { Statement } from './execute.ts';

/** Keeps the horizon for the transaction, and answers it. */
export const keepHorizon: Statement = {
  text: 'select armature.outbox_horizon()::text',
  values: [],
};

/** The horizon that was kept; SQL. */
export const HORIZON = `current_setting('armature.horizon')::xid8`;
