import { basename } from 'node:path';
import type { BucketPage } from '../../shared/parameter-answers';
import type { WorkerAnswer } from '../../shared/worker-protocol';
import { describePicture } from './pictures';
import type { Thumbnails } from './thumbnails';

/** The pictures of a bucket with the ids that their thumbnails have, which are made meanwhile. */
export async function bucketPhotos(
  { total, pictures }: WorkerAnswer<'bucket'>,
  thumbnails: Thumbnails,
): Promise<BucketPage> {
  const photos = await Promise.all(
    pictures.map(async ({ path, ...picture }) => {
      // A file that has gone since has no thumbnail.
      const id = (await describePicture(path).catch(() => null))?.id ?? null;
      if (id !== null) thumbnails.facts(id, path).catch(() => undefined);
      return { ...picture, id, name: basename(path) };
    }),
  );
  return { total, photos };
}
