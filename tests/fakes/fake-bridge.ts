import { resolve } from 'node:path';
import { locate, type Locations } from '../../electron/lib/locations';

/** Locations whose bridge plays one scenario of `bridge.py`. */
export function locateFakeBridge(scenario: string): Locations {
  const root = resolve(import.meta.dirname, '../..');
  const command = ['python3', resolve(import.meta.dirname, 'bridge.py'), scenario];
  return locate(root, { ...process.env, ATELIER_BRIDGE_COMMAND: JSON.stringify(command) });
}
