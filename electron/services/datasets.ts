import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ImageInfo, Scan, ScanProgress } from '../../shared/dataset-answers';
import { ProblemError } from '../../shared/result';
import { mapConcurrently } from '../lib/concurrent';
import { fileProblem } from '../lib/file-problem';
import { throttled } from '../lib/throttled';
import { readCaption, writeCaption } from './captions';
import { readPictures } from './pictures';
import type { Thumbnails } from './thumbnails';

const READ_LIMIT = 16;
const PROGRESS_MS = 100;

/** Folders of pictures as the window shows them. */
export class Datasets {
  readonly #paths = new Map<string, string>();

  constructor(
    private readonly thumbnails: Thumbnails,
    private readonly onProgress: (progress: ScanProgress) => void,
  ) {}

  async scan(folder: string, captionExtension: string): Promise<Scan> {
    const tell = throttled(PROGRESS_MS, this.onProgress);
    const pictures = await readPictures(folder, this.thumbnails, (done, total) =>
      tell({ folder, done, total }),
    );
    for (const { id, path } of pictures) this.#paths.set(id, path);
    const images = await mapConcurrently(
      pictures,
      READ_LIMIT,
      async (picture): Promise<ImageInfo> => ({
        ...picture,
        caption: await readCaption(picture.path, captionExtension),
      }),
    );
    return { folder, images };
  }

  /** The folder itself, or the folder of a file. */
  async folderOf(path: string): Promise<string> {
    try {
      return (await stat(path)).isDirectory() ? path : dirname(path);
    } catch (error) {
      throw fileProblem(error, path);
    }
  }

  /** Only pictures that a scan has shown can get a caption. @throws ProblemError `picture_unknown` */
  async writeCaption(imageId: string, captionExtension: string, text: string): Promise<string> {
    const path = this.#paths.get(imageId);
    if (path === undefined)
      throw new ProblemError(
        'picture_unknown',
        'This picture is not there any more, or was changed.',
        'Reload the folder.',
      );
    return writeCaption(path, captionExtension, text);
  }
}
