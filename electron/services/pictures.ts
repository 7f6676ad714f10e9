import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { PictureFacts } from '../../shared/worker-protocol';
import { ProblemError } from '../../shared/result';
import { mapConcurrently } from '../lib/concurrent';
import { codeOf, fileProblem, isNotFound } from '../lib/file-problem';
import type { Thumbnails } from './thumbnails';

/** What the bridge can read. */
const extensions = new Set([
  '.png',
  '.jpg',
  '.jpeg',
  '.jfif',
  '.webp',
  '.bmp',
  '.avif',
  '.tif',
  '.tiff',
  '.gif',
  '.heic',
  '.heif',
]);
/** Pictures that people have and the bridge cannot read: shown with a mark instead of left out in silence. */
const foreign = new Set(['.jxl', '.psd']);

const STAT_LIMIT = 16;
const READ_LIMIT = 4;

export interface PictureFile {
  /** Changes when the file changes. */
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

export interface Picture extends PictureFile, PictureFacts {}

/** @throws ProblemError `folder_not_chosen`, `folder_missing`, `not_a_folder`, `no_permission` */
async function listFolder(folder: string): Promise<string[]> {
  if (folder === '')
    throw new ProblemError(
      'folder_not_chosen',
      'No folder is chosen.',
      'Choose a folder of pictures.',
    );
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR')
      throw new ProblemError(
        'not_a_folder',
        `${folder} is a file, not a folder.`,
        'Choose the folder it is in.',
      );
    if (isNotFound(error))
      throw new ProblemError(
        'folder_missing',
        `There is no folder ${folder}.`,
        'Check the path, or choose it again.',
      );
    throw fileProblem(error, folder);
  }
}

/** The pictures in a folder, not in its subfolders, in the order in which a person counts: 2 before 10. */
async function listPictures(folder: string): Promise<PictureFile[]> {
  const names = (await listFolder(folder)).filter(
    (name) => !name.startsWith('.') && isPicture(name),
  );
  const files = await mapConcurrently(names.sort(naturalOrder), STAT_LIMIT, (name) =>
    describe(join(folder, name), name),
  );
  return files.filter((file) => file !== null);
}

/** The same, without a dot. */
export const trainedExtensions: string[] = [...extensions].map((extension) => extension.slice(1));

/** Whether a name is that of a picture that is trained on. */
export const isTrained = (name: string): boolean =>
  !name.startsWith('.') && extensions.has(extname(name).toLowerCase());

/** Whether a name is that of a picture, be it one that can be trained on or not. */
export const isPicture = (name: string): boolean => {
  const extension = extname(name).toLowerCase();
  return extensions.has(extension) || foreign.has(extension);
};

const { compare: naturalOrder } = new Intl.Collator('en', { numeric: true });

/** The id of a picture; another one when its file is changed. */
export const idOf = (
  path: string,
  { mtimeMs, size }: { readonly mtimeMs: number; readonly size: number },
): string =>
  createHash('sha256')
    .update(`${path}\0${String(mtimeMs)}\0${String(size)}`)
    .digest('hex')
    .slice(0, 32);

/** Null when it went away meanwhile, or is not a file. */
async function describe(path: string, name: string): Promise<PictureFile | null> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return null;
    return { id: idOf(path, stats), name, path, bytes: stats.size };
  } catch (error) {
    if (isNotFound(error)) return null;
    throw fileProblem(error, path);
  }
}

/** The pictures in a folder with what is known of each. Reads every picture that it has not seen before. */
export async function readPictures(
  folder: string,
  thumbnails: Thumbnails,
  onRead: (done: number, total: number) => void = () => undefined,
): Promise<Picture[]> {
  const files = await listPictures(folder);
  let done = 0;
  return mapConcurrently(files, READ_LIMIT, async (file) => {
    const facts = await factsOf(file, thumbnails);
    done += 1;
    onRead(done, files.length);
    return { ...file, ...facts };
  });
}

async function factsOf(file: PictureFile, thumbnails: Thumbnails): Promise<PictureFacts> {
  const extension = extname(file.name).toLowerCase();
  if (!foreign.has(extension)) return thumbnails.facts(file.id, file.path);
  const format = extension.slice(1);
  return {
    width: 0,
    height: 0,
    format,
    problem: `${format.toUpperCase()} pictures cannot be trained on: save it as PNG or JPEG.`,
  };
}
