import { readdir } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';

/** More than a list is looked through. */
const MOST = 50;

/**
 * The .safetensors files in the folder of a model, by name, to be offered beside it. None for a name of the hub and
 * where the folder cannot be read: it is an offer, and the model's own field says what is wrong with it.
 */
export async function modelsBeside(path: string): Promise<string[]> {
  if (!isAbsolute(path)) return [];
  const folder = dirname(path);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory() && /\.safetensors$/iu.test(entry.name))
    .map(({ name }) => join(folder, name))
    .sort()
    .slice(0, MOST);
}
