import type { Problem } from '../problem.ts';

/** A problem as lines for a terminal: what is wrong, and each single thing with its place. */
export function problemText(problem: Problem): string {
  const lines = [problem.message];
  for (const { message, document, pointer } of problem.errors) {
    const place = [document, pointer].filter((part) => part !== undefined && part !== '').join(' ');
    if (message !== problem.message || place) lines.push(`  ${place ? `${place}: ` : ''}${message}`);
  }
  return lines.join('\n');
}
