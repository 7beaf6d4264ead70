/** What a write comes down to before it is sent. */
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import type { DatabaseError } from '#engine/db/database-error.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Problem } from '#engine/problem.ts';
import type { Warning } from './rules.ts';

export interface Plan {
  readonly entity: Entity;
  /** Checks and changes, for one batch. The first `armature.refuse` ends it. */
  readonly statements: readonly Statement[];
  /** Where a new record stood in the request, by its id; '' for what was there before. */
  readonly pointers?: ReadonlyMap<string, string>;
  /** What is to be said of records that were stored all the same. @param results of the statements, in their order */
  readonly told?: (results: readonly StatementResult[]) => readonly Warning[];
  /**
   * What a refusal means. May look into the database (after the batch was undone).
   * @returns `again` when nothing speaks against the write any more: somebody else was faster and is done
   */
  refused(refusal: Refusal): Problem | Promise<Problem | 'again'>;
}

/** What a statement of the batch called `armature.refuse` with. */
export interface Refusal {
  /** `references`, `condition`, `unmatched`, `guard`, … */
  readonly code: string;
  /** Ids (or keys) it is about; meaning depends on the code. */
  readonly ids: readonly string[];
}

/** SQLSTATE of `armature.refuse`. */
const REFUSED = 'AR002';

export function refusalOf(error: DatabaseError): Refusal | null {
  if (error.code !== REFUSED) return null;
  const json: unknown = JSON.parse(error.message);
  if (typeof json !== 'object' || json === null || !('code' in json) || !('details' in json)) return null;
  const { code, details } = json;
  const ids = Array.isArray(details) ? details.filter((item): item is string => typeof item === 'string') : [];
  return { code: String(code), ids };
}
