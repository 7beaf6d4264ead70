/** `npm run check`: types, lint, format, unit tests. Quick; what `npm test` begins with. */
import { CHECKS, runSteps, UNIT } from './steps.ts';

process.exit(runSteps([...CHECKS, UNIT]));
