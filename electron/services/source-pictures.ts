import { dirname, resolve } from 'node:path';
import { ProblemError, toProblem, type Problem } from '../../shared/result';
import { listPictures, readAll, readPictures, type Picture } from './pictures';
import type { FieldProblem, Target } from './preparation-form';
import type { Thumbnails } from './thumbnails';

/** The pictures of a target, in the order of its folders, each once, and what kept them from being read. */
export async function readTarget(
  target: Target,
  thumbnails: Thumbnails,
): Promise<{ readonly pictures: readonly Picture[]; readonly problems: readonly FieldProblem[] }> {
  const failed = (problem: Problem) => ({
    pictures: [],
    problems: [{ concept: target.concepts[0] ?? 0, field: target.field, problem }],
  });
  if (target.folders.length + target.files.length === 0) return { pictures: [], problems: [] };
  try {
    const fromFolders = await Promise.all(
      target.folders.map(async (folder) => {
        const pictures = await readPictures(folder, thumbnails);
        if (!pictures.some(isUsable)) throw noPictures(folder);
        return pictures;
      }),
    );
    const all = [...fromFolders.flat(), ...(await readFiles(target.files, thumbnails))];
    const once = [...new Map(all.map((picture) => [resolve(picture.path), picture])).values()];
    return { pictures: once, problems: [] };
  } catch (error) {
    return failed(toProblem(error));
  }
}

const isUsable = ({ problem }: Picture): boolean => problem === null;

const noPictures = (folder: string): ProblemError =>
  new ProblemError(
    'no_images',
    `There are no pictures that can be used in ${folder}.`,
    'It must hold the pictures themselves, such as .jpg, .png, .webp or .heic files; subfolders are not searched.',
  );

/** @throws ProblemError `picture_missing` */
async function readFiles(files: readonly string[], thumbnails: Thumbnails): Promise<Picture[]> {
  const wanted = new Set(files.map((file) => resolve(file)));
  const folders = [...new Set([...wanted].map((file) => dirname(file)))];
  const listings = await Promise.all(folders.map(listPictures));
  const found = listings
    .flatMap(({ pictures }) => pictures)
    .filter(({ path }) => wanted.has(resolve(path)));
  const paths = new Set(found.map(({ path }) => resolve(path)));
  const gone = [...wanted].find((file) => !paths.has(file));
  if (gone === undefined) return readAll(found, thumbnails);
  throw new ProblemError(
    'picture_missing',
    `${gone} is not there any more.`,
    'Take it out of the list of images, or put it back.',
  );
}
