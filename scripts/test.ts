/**
 * `npm test`: everything CI runs. With arguments they go to Vitest alone:
 * `npm test -- engine/condition`, `npm test -- --project browser`.
 */
import { ALL_TESTS, BUILD, CHECKS, runSteps } from './steps.ts';

const args = process.argv.slice(2);
const steps =
  args.length > 0
    ? [BUILD, { title: 'tests', command: ['node_modules/vitest/vitest.mjs', 'run', ...args] }]
    : [...CHECKS, BUILD, ALL_TESTS];
process.exit(runSteps(steps));
