/**
 * Requests that a publish overtakes: they were resolved with one release and reach a database that has the next one.
 * What they meant is asked for once more with the new release; nothing of the first try was kept, because every read
 * and every write is one transaction.
 */
import { isDatabaseError } from '../db/database-error.ts';
import type { ModelSource } from '../model/tenant.ts';
import { Problem } from '../problem.ts';
import type { Scope } from '../records/scope.ts';

/** What Postgres says of a table, column, role or right that is no longer there, or is another one now. */
const SIGNS: ReadonlySet<string> = new Set([
  // Missing: table, column, operator; the role to act as.
  '42P01',
  '42703',
  '42883',
  '42704',
  '22023',
  // Other: type, right, a column that is computed now, a plan of before (in the middle of a transaction).
  '42804',
  '42501',
  '428C9',
  '0A000',
]);

/**
 * Resolves a request and answers it, and does both once more when a publish has come in between.
 * @param resolve who asks, with the tenant's current model
 * @param mayRepeat whether nothing of the request is lost and nothing of an answer is out yet
 */
export async function onCurrentRelease<T>(
  models: ModelSource,
  resolve: () => Promise<Scope> | Scope,
  answer: (scope: Scope) => Promise<T> | T,
  mayRepeat: () => boolean = () => true,
): Promise<T> {
  let scope: Scope | null = null;
  try {
    const found = resolve();
    // Nearly always at once, and then nobody waits.
    scope = found instanceof Promise ? await found : found;
    return await answer(scope);
  } catch (error) {
    if (!mayRepeat() || !(await isOvertaken(error, scope, models))) throw error;
  }
  scope = null;
  try {
    scope = await resolve();
    return await answer(scope);
  } catch (second) {
    throw stillOvertaken(second, scope);
  }
}

/**
 * @param scope what the request was resolved with; `null` when it came to nothing before
 * @returns whether to resolve and try the request again
 */
async function isOvertaken(error: unknown, scope: Scope | null, models: ModelSource): Promise<boolean> {
  if (!looksOvertaken(error, scope)) return false;
  if (scope === null) return true;
  const { model } = await models.get(scope.tenant.key, 'stored');
  return model !== scope.model;
}

/** Instead of an error of the second try: another publish came, or one of this process is not known to all of it. */
function stillOvertaken(error: unknown, scope: Scope | null): unknown {
  if (!looksOvertaken(error, scope)) return error;
  const cause = error instanceof Problem ? error.cause : error;
  return new Problem('unavailable', 'A new release has just been published. Try again.', [], { cause });
}

/**
 * Reading and writing throw problems with Postgres's error as their cause. An error as it comes from Postgres is not of
 * them, and may have come after the write: it counts only before there was a scope to write with.
 */
function looksOvertaken(error: unknown, scope: Scope | null): boolean {
  const said = error instanceof Problem ? error.cause : scope === null ? error : null;
  return isDatabaseError(said) && SIGNS.has(said.code);
}
