import { readFile, rm } from 'node:fs/promises';
import { changesNothing, pictureEditSchema, type PictureEdit } from '../../shared/picture-edits';
import { writeFileAtomically } from '../lib/atomic-file';
import { fileProblem, isNotFound } from '../lib/file-problem';

/** Where the edit of a picture is, if it has one; of its path or of its name. */
export const editFileOf = (picture: string): string => `${picture}.edit.json`;

/** Null for a picture without an edit, and for an edit that is damaged: that the picture's own problem tells. */
export async function readEdit(picture: string): Promise<PictureEdit | null> {
  const path = editFileOf(picture);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isNotFound(error)) return null;
    throw fileProblem(error, path);
  }
  try {
    return pictureEditSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Keeps an edit beside the picture. One that changes nothing takes its file away: the picture is as it was. */
export async function writeEdit(picture: string, edit: PictureEdit): Promise<void> {
  const path = editFileOf(picture);
  if (changesNothing(edit)) {
    await rm(path, { force: true }).catch((error: unknown) => {
      throw fileProblem(error, path);
    });
    return;
  }
  await writeFileAtomically(path, `${JSON.stringify(edit)}\n`);
}
