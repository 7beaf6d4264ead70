/** Runs the project's tools one after the other on the pinned Node, and stops at the first that fails. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

export interface Step {
  readonly title: string;
  /** Path of a script inside the project, and its arguments. */
  readonly command: readonly string[];
}

/** @returns the first failing step's exit code, or 0 */
export function runSteps(steps: readonly Step[]): number {
  for (const step of steps) {
    const started = performance.now();
    console.log(`\n▸ ${step.title}`);
    const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...step.command], {
      cwd: root,
      stdio: 'inherit',
    });
    if (status !== 0) {
      console.error(`✗ ${step.title} failed. Again: node_modules/.bin/node ${step.command.join(' ')}`);
      return status ?? 1;
    }
    console.log(`✓ ${step.title} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  }
  return 0;
}

const vitest = 'node_modules/vitest/vitest.mjs';

export const CHECKS: readonly Step[] = [
  { title: 'types', command: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  { title: 'lint', command: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--quiet'] },
  { title: 'format', command: ['node_modules/@biomejs/biome/bin/biome', 'format', '.'] },
  { title: 'types of the metadata documents', command: ['scripts/generate-types.ts', '--check'] },
];

export const UNIT: Step = { title: 'unit tests', command: [vitest, 'run', '--project', 'unit'] };
export const BUILD: Step = { title: 'screens', command: ['scripts/build-ui.ts'] };

/** All tests, with the coverage of engine/ and plugins/ (at least 85 % of lines). */
export const ALL_TESTS: Step = { title: 'tests', command: [vitest, 'run', '--coverage'] };
