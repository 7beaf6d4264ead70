import { Problem } from '#engine/problem.ts';

/** The problem that `run` is refused with. Anything else that happens fails the test. */
export function refusal(run: () => unknown): Problem {
  const problem = attempt(run);
  if (problem === null) throw new Error('nothing was refused');
  return problem;
}

/** The problem, or null when there is none; anything else that is thrown goes through. */
export function attempt(run: () => unknown): Problem | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}
