// Where set-up puts things. The app's own copy of these facts is electron/lib/locations.ts.
import { join } from 'node:path';

/** The Python of the project's own environment. */
export const venvPython = (root) =>
  process.platform === 'win32'
    ? join(root, '.venv', 'Scripts', 'python.exe')
    : join(root, '.venv', 'bin', 'python');
