import { stdSerializers } from 'pino';

/** What Postgres adds to an error holds values of records: `Key (email)=(…) already exists`, `Failing row contains (…)`. */
const WITH_VALUES = ['detail', 'where', 'hint', 'internalQuery'] as const;

/** An error as it stands in the log: kind, message, stack and code, and nothing of anybody's records. */
export function errorForLog(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const written: Record<string, unknown> = { ...stdSerializers.err(error) };
  for (const key of WITH_VALUES) delete written[key];
  return written;
}
