import { join } from 'node:path';
import { hashOf, isStamped, stamp } from './stamp.mjs';

const bundles = ['renderer', 'main', 'preload', 'cli'];
const sources = [
  'electron',
  'renderer',
  'shared',
  'build/vite.config.ts',
  'package.json',
  'package-lock.json',
];

/** The bundles in dist/, built again when a source changes. */
export function appStage(root) {
  const file = join(root, 'dist', '.stamp');
  const key = () => hashOf(root, sources);
  return {
    title: 'The app',
    isDone: () => isStamped(file, key()),
    async run(report) {
      const built = key();
      const { build } = await import('vite');
      for (const bundle of bundles) {
        report.progress(`building ${bundle}`);
        await build({ configFile: join(root, 'build/vite.config.ts'), mode: bundle });
      }
      stamp(file, built);
    },
  };
}
