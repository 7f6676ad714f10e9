import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { BucketPage } from '../../shared/contract';
import type { WorkerAnswer } from '../../shared/worker-protocol';
import { idOf } from './pictures';
import type { Thumbnails } from './thumbnails';

/** The pictures of a bucket with the ids that their thumbnails have, which are made meanwhile. */
export async function bucketPhotos(
  { total, pictures }: WorkerAnswer<'bucket'>,
  thumbnails: Thumbnails,
): Promise<BucketPage> {
  const photos = await Promise.all(
    pictures.map(async ({ path, ...picture }) => {
      const stats = await stat(path).catch(() => null);
      // A file that has gone since has no thumbnail.
      const id = stats === null ? null : idOf(path, stats);
      if (id !== null) thumbnails.facts(id, path).catch(() => undefined);
      return { ...picture, id, name: basename(path) };
    }),
  );
  return { total, photos };
}
