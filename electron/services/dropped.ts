import { stat } from 'node:fs/promises';
import type { Dropped } from '../../shared/dataset-answers';
import { isTrained } from './pictures';

/** What was dropped on the window, or chosen, by kind. What cannot be looked at is told with what is no picture. */
export async function sortDropped(paths: readonly string[]): Promise<Dropped> {
  const dropped: Dropped = { folders: [], pictures: [], others: [] };
  for (const path of paths) {
    const stats = await stat(path).catch(() => null);
    if (stats?.isDirectory()) dropped.folders.push(path);
    else if (stats?.isFile() && isTrained(path)) dropped.pictures.push(path);
    else dropped.others.push(path);
  }
  return dropped;
}
