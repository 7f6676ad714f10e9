import { defineConfig } from 'vitest/config';
import { projectRoot } from './paths.mjs';

const project = (name: string) => ({
  extends: true as const,
  test: { name, include: [`tests/${name}/**/*.test.{ts,tsx}`] },
});

export default defineConfig({
  root: projectRoot,
  test: { environment: 'node', projects: [project('unit'), project('contract')] },
});
