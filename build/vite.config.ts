import react from '@vitejs/plugin-react';
import { defineConfig, type UserConfig } from 'vite';
import { projectRoot } from './paths.mjs';

/** The oldest runtime that the bundles must run on: Electron 22. */
const oldest = { node: 'node16', chrome: 'chrome108' };

const renderer: UserConfig = {
  root: `${projectRoot}renderer`,
  plugins: [react()],
  css: { postcss: `${projectRoot}build` },
  build: {
    outDir: `${projectRoot}dist/renderer`,
    emptyOutDir: true,
    target: oldest.chrome,
    // The content security policy allows neither inline scripts nor data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
  },
};

/** One CommonJS file out of one entry; what is native or Electron's own stays outside. */
const node = (name: string, external: string[]): UserConfig => ({
  root: projectRoot,
  publicDir: false,
  ssr: { noExternal: true, external },
  build: {
    ssr: `electron/${name}.ts`,
    outDir: `${projectRoot}dist/electron`,
    emptyOutDir: false,
    target: oldest.node,
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      external,
      output: { format: 'cjs', entryFileNames: `${name}.cjs`, codeSplitting: false },
    },
  },
});

/** `vite build --mode <bundle>`. */
export const bundles = {
  renderer,
  main: node('main', ['electron']),
  preload: node('preload', ['electron']),
  cli: node('cli', []),
};

const isBundle = (mode: string): mode is keyof typeof bundles => Object.hasOwn(bundles, mode);

export default defineConfig(({ mode }) => {
  if (!isBundle(mode)) throw new Error(`Build with --mode ${Object.keys(bundles).join('|')}.`);
  return { logLevel: 'warn', clearScreen: false, ...bundles[mode] };
});
