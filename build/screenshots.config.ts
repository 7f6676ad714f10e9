import { defineConfig } from '@playwright/test';
import { projectRoot } from './paths.mjs';

export default defineConfig({
  testDir: `${projectRoot}tests/screenshots`,
  outputDir: `${projectRoot}test-results/screenshots-run`,
  workers: 1,
  timeout: 300_000,
  reporter: 'list',
});
