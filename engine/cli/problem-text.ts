import type { Problem, ProblemDetail } from '../problem.ts';

/** A problem as lines for a terminal: what is wrong, each single thing with its place. */
export function problemText(problem: Problem): string {
  const details = problem.errors.map(lineOf);
  // The sentence of a problem with details often repeats the first of them.
  const [first] = problem.errors;
  const repeats = first !== undefined && problem.message.includes(first.message);
  if (details.length === 0) return problem.message;
  if (details.length === 1 && repeats) return details[0] ?? problem.message;
  return [
    ...(repeats ? [`${details.length} things are wrong:`] : [problem.message]),
    ...details.map((line) => `  ${line}`),
  ].join('\n');
}

/** A pointer helps only into a document; the command line has no body it could point into. */
function lineOf({ document, pointer, message }: ProblemDetail): string {
  return document === undefined ? message : `${[document, pointer].filter(Boolean).join(' ')}: ${message}`;
}
