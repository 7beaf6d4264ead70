import { Problem } from '#engine/problem.ts';

/** The problem with which something was refused. Fails when it was not, and with what went wrong otherwise. */
export async function refusal(work: Promise<unknown>): Promise<Problem> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw error ?? new Error('was not refused');
  return error;
}
