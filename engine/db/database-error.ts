/** One table from Postgres's SQLSTATE to our problems. Its message, detail and hint never leave the server (rule 8). */
import pg from 'pg';
import type { ProblemCode } from '../problem.ts';
import { Problem } from '../problem.ts';

/** SQLSTATE (or its class) → code and sentence. */
const TABLE: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  '08': ['unavailable', 'The database cannot be reached right now.'],
  '22001': ['invalid', 'A text is too long.'],
  '22003': ['invalid', 'A number is too large.'],
  '22007': ['invalid', 'A date or time is not valid.'],
  '22008': ['invalid', 'A date or time is out of range.'],
  '22021': ['invalid', 'A text has characters that cannot be stored.'],
  '22P02': ['invalid', 'A value has the wrong type.'],
  '22P05': ['invalid', 'A text has characters that cannot be stored.'],
  '23502': ['invalid', 'A required value is missing.'],
  '23503': ['conflict', 'The record refers to another record that does not exist, or others refer to it.'],
  '23505': ['unique', 'This value is already used.'],
  '23514': ['invalid', 'A value is not allowed.'],
  '40001': ['unavailable', 'Two changes met; try again.'],
  '40P01': ['unavailable', 'Two changes met; try again.'],
  '42501': ['forbidden', 'You may not do this.'],
  '53': ['unavailable', 'The database is at its limit; try again shortly.'],
  '54': ['invalid', 'The request is too complex.'],
  '55P03': ['unavailable', 'The record is locked by another change; try again.'],
  '57014': ['timeout', 'The query took too long. Narrow it with a filter.'],
  '57': ['unavailable', 'The database is restarting; try again shortly.'],
};

export interface DatabaseError extends Error {
  readonly code: string;
  readonly constraint: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
}

/** Whether it is an error answer of Postgres (not of the network). */
export function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof pg.DatabaseError && typeof error.code === 'string';
}

/** Whether two transactions changed one row of Postgres's catalogue at the same time: the second is told so, not made to wait. */
export function isCatalogueConflict(error: unknown): boolean {
  return isDatabaseError(error) && error.code === 'XX000' && error.message.includes('tuple concurrently');
}

/**
 * The problem a database error stands for. What the caller knows better (which field a constraint belongs to) it must
 * look at before.
 * @returns the error itself when it is a Problem already; `internal` when nothing better is known
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isDatabaseError(error)) {
    const known = TABLE[error.code] ?? TABLE[error.code.slice(0, 2)];
    if (known) return new Problem(known[0], known[1], [], { cause: error });
  } else if (
    error instanceof Error &&
    /ECONN|EPIPE|terminat|timeout exceeded|not queryable/i.test(
      `${'code' in error ? String(error.code) : ''} ${error.message}`,
    )
  ) {
    return new Problem('unavailable', 'The database cannot be reached right now.', [], { cause: error });
  }
  return new Problem('internal', 'Something went wrong on our side. It was logged.', [], { cause: error });
}
