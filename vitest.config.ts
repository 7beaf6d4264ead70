import { defineConfig } from 'vitest/config';
import { ClosingLine } from './tests/support/closing-line.ts';

const shared = { testTimeout: 30_000, hookTimeout: 120_000 };

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
          include: ['{engine,plugins,runtime-ui,scripts,metadata,demo}/**/*.test.{ts,tsx}', 'tests/rules/**/*.test.ts'],
          exclude: ['**/*.db.test.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'database',
          include: ['engine/**/*.db.test.ts', 'tests/{integration,isolation,plans}/**/*.test.ts'],
          globalSetup: ['tests/support/cluster.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          globalSetup: ['tests/support/cluster.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
});
