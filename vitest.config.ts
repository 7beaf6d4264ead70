import { defineConfig } from 'vitest/config';
import { ClosingLine } from './tests/support/closing-line.ts';
import { hasRedis } from './tests/support/redis-server.ts';

/** A busy machine is slow and nothing else: what is waited for gets the time it needs. */
const shared = { testTimeout: 120_000, hookTimeout: 300_000, expect: { poll: { timeout: 20_000, interval: 50 } } };

const withRedis = {
  test: {
    ...shared,
    name: 'redis',
    include: [
      'engine/redis/*.db.test.ts',
      'engine/records/import/*.db.test.ts',
      'tests/integration/{changes,exports,flags,import-rights,people,share-events,steps,two-servers}.test.ts',
    ],
    globalSetup: ['tests/support/cluster.ts', 'tests/support/redis-server.ts'],
  },
};
if (!hasRedis()) console.warn('There is no redis-server on this machine: the tests with Redis are left out.');

export default defineConfig({
  test: {
    // Two cores: more workers only wait for each other and for Postgres.
    maxWorkers: 2,
    reporters: ['default', new ClosingLine()],
    coverage: {
      provider: 'v8',
      include: ['engine/**/*.ts', 'plugins/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.generated.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 85 },
    },
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          // Nothing here leaves anything behind: what was loaded for one file serves the next.
          isolate: false,
          include: ['{engine,plugins,runtime-ui,scripts,metadata,demo}/**/*.test.{ts,tsx}', 'tests/rules/**/*.test.ts'],
          exclude: ['**/*.db.test.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'database',
          include: ['engine/**/*.db.test.ts', 'tests/{fuzz,integration,isolation,plans}/**/*.test.ts'],
          exclude: ['engine/redis/**'],
          globalSetup: ['tests/support/cluster.ts'],
        },
      },
      // The same tests once more, with Redis.
      ...(hasRedis() ? [withRedis] : []),
      {
        test: {
          ...shared,
          name: 'faults',
          include: ['tests/faults/**/*.test.ts'],
          fileParallelism: false,
        },
      },
      {
        test: {
          ...shared,
          testTimeout: 600_000,
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          globalSetup: ['tests/support/cluster.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
});
