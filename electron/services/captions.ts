import { readFile } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';
import { ProblemError } from '../../shared/result';
import { writeFileAtomically } from '../lib/atomic-file';
import { fileProblem, isNotFound } from '../lib/file-problem';
import { isPicture } from './pictures';

/** Extensions that trainers use for captions: these files go with a picture when it is copied. */
export const captionExtensions = ['.txt', '.caption', '.cap'] as const;

/** The caption of photo.png is photo with the caption's extension. */
export const captionFileOf = (picture: string, extension: string): string =>
  join(dirname(picture), `${parse(picture).name}${extension}`);

/** Null when the picture has no caption file. */
export async function readCaption(picture: string, extension: string): Promise<string | null> {
  const path = captionFileOf(picture, extension);
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isNotFound(error)) return null;
    throw fileProblem(error, path);
  }
}

const extensionPattern = /^\.[^<>:"/\\|?*\s.]+$/u;

/** @throws ProblemError `caption_empty`, `caption_extension`, and what can go wrong with a file */
export async function writeCaption(
  picture: string,
  extension: string,
  text: string,
): Promise<string> {
  const caption = text.trim().replace(/\s*\n\s*/gu, ' ');
  if (caption === '')
    throw new ProblemError(
      'caption_empty',
      `The caption of ${parse(picture).base} must not be empty.`,
      'Kohya stops at an empty caption. Write what is in the picture; to have none, delete the caption file.',
    );
  // With a picture's own extension the caption would take the picture's place.
  if (!extensionPattern.test(extension) || isPicture(`x${extension}`))
    throw new ProblemError(
      'caption_extension',
      `${extension} is not an extension for captions.`,
      'It begins with a dot, like .txt.',
    );
  await writeFileAtomically(captionFileOf(picture, extension), `${caption}\n`);
  return caption;
}
