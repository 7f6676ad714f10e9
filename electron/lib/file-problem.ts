import { stat } from 'node:fs/promises';
import { ProblemError } from '../../shared/result';

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

export const isNotFound = (error: unknown): boolean =>
  codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/** What went wrong with a file, as a person should read it; anything else as it is. */
export function fileProblem(error: unknown, path: string): unknown {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new ProblemError(
        'disk_full',
        `The disk is full: ${path} could not be written.`,
        'Free some space on it, or choose a folder on another disk.',
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ProblemError(
        'no_permission',
        `You have no permission for ${path}.`,
        'Choose another folder, or change its permissions.',
      );
    case 'ENOENT':
      return new ProblemError('not_found', `${path} does not exist.`, 'Check the path.');
    case 'ENOTDIR':
    case 'EEXIST':
      return new ProblemError(
        'not_a_folder',
        `${path} cannot be a folder: a file of that name is in the way.`,
        'Choose another folder.',
      );
    case 'ENAMETOOLONG':
      return new ProblemError('name_too_long', `${path} is too long a path.`, 'Shorten the names.');
    default:
      return error;
  }
}

/** Whether there is anything at a path. @throws ProblemError where that cannot be told */
export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: unknown) => {
      if (isNotFound(error)) return false;
      throw fileProblem(error, path);
    },
  );
