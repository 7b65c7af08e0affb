import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Real sandboxes and real processes on a small machine: more workers than cores only makes them wait.
    maxWorkers: 2,
    env: { NO_COLOR: '1' },
    reporters: [
      'default',
      ...(process.env.GITHUB_ACTIONS === 'true' ? ['github-actions'] : []),
      './test/abuse/reporter.ts',
    ],
  },
});
