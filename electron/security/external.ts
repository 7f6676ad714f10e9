import { shell } from 'electron';
import { ProblemError } from '../../shared/result';

/** The only file that hands paths to the system's own programs. Callers have checked that the path is ours. */

export function revealInFolder(path: string): void {
  shell.showItemInFolder(path);
}

/** @throws ProblemError `folder_not_opened` */
export async function openFolder(folder: string): Promise<void> {
  const failure = await shell.openPath(folder);
  if (failure !== '')
    throw new ProblemError('folder_not_opened', `${folder} could not be opened: ${failure}`);
}
