import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const noteSchema = z.object({ version: z.string(), fallback: z.boolean() });

/** Whether this is the stand-in runtime that set-up takes where the current Electron cannot be had. */
export async function isFallbackRuntime(dataFolder: string): Promise<boolean> {
  try {
    const note = noteSchema.parse(
      JSON.parse(await readFile(join(dataFolder, 'electron.json'), 'utf8')),
    );
    return note.fallback && note.version === process.versions.electron;
  } catch {
    return false;
  }
}
