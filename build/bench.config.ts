import { defineConfig } from '@playwright/test';
import { projectRoot } from './paths.mjs';

export default defineConfig({
  testDir: `${projectRoot}tests/bench`,
  testMatch: '*.bench.ts',
  outputDir: `${projectRoot}test-results/bench-run`,
  workers: 1,
  timeout: 1_200_000,
  reporter: 'list',
});
