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

/** What a `media://` address means. Ids and numbers only: no address ever holds a path. */
export type MediaName =
  | { readonly kind: 'thumbnail'; readonly id: string }
  /** A whole picture: as it is trained on, or turned but not cropped. */
  | { readonly kind: 'edited' | 'uncropped'; readonly id: string }
  /** A sample, whole or in small. `seq` is that of its event in the job. */
  | {
      readonly kind: 'sample' | 'small-sample';
      readonly jobId: string;
      readonly seq: number;
    };

const PICTURE = /^media:\/\/(thumbnail|edited|uncropped)\/([0-9a-f]{32})$/u;
const SAMPLE = /^media:\/\/(sample|small-sample)\/([\w-]{1,64})\/([1-9]\d{0,14})$/u;

/** `media://(thumbnail|edited|uncropped)/<id>` or `media://(small-)sample/<job id>/<seq>`; null for any other address. */
export function nameOfMediaUrl(url: string): MediaName | null {
  const [, picture, id] = PICTURE.exec(url) ?? [];
  if (id !== undefined)
    return { kind: picture === 'edited' || picture === 'uncropped' ? picture : 'thumbnail', id };
  const [, kind, jobId, seq] = SAMPLE.exec(url) ?? [];
  if (jobId === undefined) return null;
  return { kind: kind === 'sample' ? kind : 'small-sample', jobId, seq: Number(seq) };
}
