import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { locate, type Locations } from '../lib/locations';
import type { Log } from '../services/log';

/** What every command needs. */
export interface Context {
  readonly locations: Locations;
  readonly appVersion: string;
  readonly log: Log;
}

const manifestSchema = z.object({ version: z.string() });

export function createContext(root: string): Context {
  const manifest = manifestSchema.parse(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')),
  );
  return { locations: locate(root), appVersion: manifest.version, log: quietLog };
}

/** What a person should see is printed by the commands; the rest is in the job's console.log. */
const quietLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
