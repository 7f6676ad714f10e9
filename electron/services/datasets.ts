import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { ImageInfo, ReadPicture, Scan } from '../../shared/dataset-answers';
import type { PictureEdit } from '../../shared/picture-edits';
import { ProblemError } from '../../shared/result';
import { mapConcurrently } from '../lib/concurrent';
import { fileProblem } from '../lib/file-problem';
import { captionFileOf, readCaption, writeCaption } from './captions';
import { editFileOf, readEdit, writeEdit } from './picture-edits';
import { describePicture, factsAtOnce, factsOf, listPictures, type PictureFile } from './pictures';
import type { Thumbnails } from './thumbnails';

const READ_LIMIT = 16;
const TELL_MS = 250;

/** Folders of pictures as the window shows them. */
export class Datasets {
  readonly #paths = new Map<string, string>();
  #read: ReadPicture[] = [];

  constructor(
    private readonly thumbnails: Thumbnails,
    private readonly onRead: (pictures: readonly ReadPicture[]) => void,
  ) {}

  /** What is in a folder, without a look into the pictures: that follows, and is told as it comes. */
  async scan(folder: string, captionExtension: string): Promise<Scan> {
    const { pictures, names } = await listPictures(folder);
    const images = await mapConcurrently(pictures, READ_LIMIT, (file) =>
      this.#describe(file, captionExtension, (path) => names.has(basename(path).toLowerCase())),
    );
    for (const file of pictures)
      if (factsAtOnce(file, this.thumbnails) === null) void this.#readLater(file);
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

  /** Null for a picture that no scan has shown. */
  pathOf(imageId: string): string | null {
    return this.#paths.get(imageId) ?? null;
  }

  /** Only pictures that a scan has shown can get a caption. @throws ProblemError `picture_unknown` */
  async writeCaption(imageId: string, captionExtension: string, text: string): Promise<string> {
    return writeCaption(this.#knownPath(imageId), captionExtension, text);
  }

  /** Turns and crops a picture, or takes that back; the file itself is not touched. @throws ProblemError `picture_unknown` */
  async editPicture(
    imageId: string,
    captionExtension: string,
    edit: PictureEdit,
  ): Promise<ImageInfo> {
    const path = this.#knownPath(imageId);
    await writeEdit(path, edit);
    const file = await describePicture(path);
    if (file === null) throw unknownPicture();
    void this.#readLater(file);
    return this.#describe(file, captionExtension, () => true);
  }

  async #describe(
    file: PictureFile,
    captionExtension: string,
    isThere: (path: string) => boolean,
  ): Promise<ImageInfo> {
    const { id, path } = file;
    this.#paths.set(id, path);
    const hasCaption = isThere(captionFileOf(path, captionExtension));
    return {
      ...file,
      facts: factsAtOnce(file, this.thumbnails),
      caption: hasCaption ? await readCaption(path, captionExtension) : null,
      edit: isThere(editFileOf(path)) ? await readEdit(path) : null,
    };
  }

  async #readLater(file: PictureFile): Promise<void> {
    // Where the bridge does not answer, the window says so by itself.
    const facts = await factsOf(file, this.thumbnails).catch(() => null);
    if (facts === null) return;
    if (this.#read.length === 0)
      setTimeout(() => {
        const pictures = this.#read;
        this.#read = [];
        this.onRead(pictures);
      }, TELL_MS);
    this.#read.push({ id: file.id, facts });
  }

  #knownPath(imageId: string): string {
    const path = this.#paths.get(imageId);
    if (path === undefined) throw unknownPicture();
    return path;
  }
}

const unknownPicture = (): ProblemError =>
  new ProblemError(
    'picture_unknown',
    'This picture is not there any more, or was changed.',
    'Reload the folder.',
  );
