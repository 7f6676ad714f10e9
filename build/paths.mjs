// Where set-up puts things. The app's own copy of these facts is electron/lib/locations.ts.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const projectRoot = fileURLToPath(new URL('..', import.meta.url));

/** The Python of the project's own environment. */
export const venvPython = (root) =>
  process.platform === 'win32'
    ? join(root, '.venv', 'Scripts', 'python.exe')
    : join(root, '.venv', 'bin', 'python');

/** What set-up makes and git does not hold: the Electron runtime, CLIP's vocabulary, the sample project. */
export const dataDir = (root, env = process.env) =>
  env.ATELIER_DATA_DIR ? resolve(env.ATELIER_DATA_DIR) : join(root, '.atelier');

/** The record of which Electron to run: {executable, version, fallback}. */
export const electronRecord = (root) => join(dataDir(root), 'electron.json');
