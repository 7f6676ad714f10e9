import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { PictureFacts } from '../../shared/picture-protocol';
import { ProblemError } from '../../shared/result';
import { mapConcurrently } from '../lib/concurrent';
import { codeOf, fileProblem, isNotFound } from '../lib/file-problem';
import { editFileOf } from './picture-edits';
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

export interface PictureFile {
  /** Changes when the file changes. */
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

export interface Picture extends PictureFile, PictureFacts {}

/** The pictures in a folder, and the names of all files there in small letters. */
export interface FolderListing {
  readonly pictures: readonly PictureFile[];
  readonly names: ReadonlySet<string>;
}

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
export async function listPictures(folder: string): Promise<FolderListing> {
  const all = await listFolder(folder);
  const names = new Set(all.map((name) => name.toLowerCase()));
  const found = all.filter((name) => !name.startsWith('.') && isPicture(name)).sort(naturalOrder);
  const files = await mapConcurrently(found, STAT_LIMIT, (name) =>
    describePicture(join(folder, name), names.has(editFileOf(name).toLowerCase())),
  );
  return { pictures: files.filter((file) => file !== null), names };
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

const stampOf = ({ mtimeMs, size }: { readonly mtimeMs: number; readonly size: number }): string =>
  `\0${String(mtimeMs)}\0${String(size)}`;

/** A picture's file with its id, which is another one when the file or its edit is changed. Null when it is none. */
export async function describePicture(
  path: string,
  mayBeEdited = true,
): Promise<PictureFile | null> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return null;
    const edit = mayBeEdited ? await stat(editFileOf(path)).catch(() => null) : null;
    const state = `${path}${stampOf(stats)}${edit === null ? '' : stampOf(edit)}`;
    const id = createHash('sha256').update(state).digest('hex').slice(0, 32);
    return { id, name: basename(path), path, bytes: stats.size };
  } catch (error) {
    if (isNotFound(error)) return null;
    throw fileProblem(error, path);
  }
}

/** The pictures in a folder with what is known of each. Reads every picture that it has not seen before. */
export async function readPictures(folder: string, thumbnails: Thumbnails): Promise<Picture[]> {
  const { pictures } = await listPictures(folder);
  return readAll(pictures, thumbnails);
}

/** Pictures with what is known of each. */
export const readAll = (
  files: readonly PictureFile[],
  thumbnails: Thumbnails,
): Promise<Picture[]> =>
  Promise.all(files.map(async (file) => ({ ...file, ...(await factsOf(file, thumbnails)) })));

/** What a picture is to the code that trains. */
export async function factsOf(file: PictureFile, thumbnails: Thumbnails): Promise<PictureFacts> {
  return foreignFacts(file) ?? thumbnails.facts(file.id, file.path);
}

/** The same, where it is known without reading the picture. */
export const factsAtOnce = (file: PictureFile, thumbnails: Thumbnails): PictureFacts | null =>
  foreignFacts(file) ?? thumbnails.alreadyRead(file.id);

function foreignFacts({ name }: PictureFile): PictureFacts | null {
  const extension = extname(name).toLowerCase();
  if (!foreign.has(extension)) return null;
  const format = extension.slice(1);
  return {
    width: 0,
    height: 0,
    format,
    problem: `${format.toUpperCase()} pictures cannot be trained on: save it as PNG or JPEG.`,
  };
}
