import { defineConfig } from '@playwright/test';
import { projectRoot } from './paths.mjs';

export default defineConfig({
  testDir: `${projectRoot}tests/e2e`,
  outputDir: `${projectRoot}test-results/e2e`,
  // One window at a time: two trainings would fight for two cores.
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 180_000,
  reporter: [['list'], ['json', { outputFile: `${projectRoot}test-results/e2e.json` }]],
  use: { trace: 'off', screenshot: 'off' },
});
