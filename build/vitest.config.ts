import { defineConfig } from 'vitest/config';
import { projectRoot } from './paths.mjs';

const project = (name: string) => ({
  extends: true as const,
  test: { name, include: [`tests/${name}/**/*.test.{ts,tsx}`] },
});

export default defineConfig({
  root: projectRoot,
  test: {
    environment: 'node',
    projects: [project('unit'), project('contract')],
    // A loaded machine takes seconds to start a process or to load the linter.
    testTimeout: 30_000,
  },
});
