import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isInside } from '../lib/paths';
import { isAppUrl } from './origin';

/**
 * The file in `root` that an `app://` address means; null for any address that leads out of it. A file that does not
 * exist gives a path all the same: not being there is not a trespass.
 */
export async function fileOfAppUrl(root: string, url: string): Promise<string | null> {
  const path = pathOf(url);
  if (path === null || !isAppUrl(url)) return null;
  const file = join(root, path === '/' ? 'index.html' : path);
  if (!isInside(root, file)) return null;
  const real = await realpath(file).catch(() => null);
  if (real === null) return file;
  return isInside(await realpath(root), real) ? file : null;
}

/** Decoded once; null when it cannot be, or holds what no file of ours has in its name. */
function pathOf(url: string): string | null {
  try {
    const path = decodeURIComponent(new URL(url).pathname);
    return /[\0\\]|%2f|%2e|(^|\/)\.\.(\/|$)/iu.test(path) ? null : path;
  } catch {
    return null;
  }
}

/** The id in `media://thumbnail/<id>`; null for any other address. Ids only: no address ever holds a path. */
export const thumbnailOfMediaUrl = (url: string): string | null =>
  /^media:\/\/thumbnail\/([0-9a-f]{32})$/u.exec(url)?.[1] ?? null;
