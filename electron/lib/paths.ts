import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { isNotFound } from './file-problem';

/** Whether `path` lies somewhere in `folder`; both as realpath gives them, or both plainly joined. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !/^\.\.[/\\]/u.test(way) && !isAbsolute(way);
}

/** `realpath` of a path that need not exist: links are followed as far as there is something. */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isNotFound(error) || dirname(path) === path) throw error;
    return join(await realPathOf(dirname(path)), basename(path));
  }
}

/** The nearest folder above a path, or the path itself, that exists. */
export async function nearestExisting(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isNotFound(error) || dirname(path) === path) throw error;
    return nearestExisting(dirname(path));
  }
}
