import { rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Undone } from '../../shared/dataset-answers';
import { ProblemError, type Problem } from '../../shared/result';
import { fileExists, isSameFile, makeFolders, removeIfEmpty } from '../lib/copy';
import { fileProblem } from '../lib/file-problem';
import { isUnchanged, type FolderHistory, type MadeFile } from './folder-history';
import { listed, warning } from './preparation-form';

/**
 * Takes back what was done to a root last: removes the files that were made then and are as they were made, and moves
 * back what was moved. Never the last copy of a picture: a file whose original is gone or was changed stays.
 *
 * @param id what is to be undone; left out, whatever was done last
 * @throws ProblemError `nothing_to_undo`, `undo_outdated`
 */
export async function undoLast(history: FolderHistory, root: string, id?: string): Promise<Undone> {
  const record = await history.last(root);
  if (record === null)
    throw new ProblemError('nothing_to_undo', `Nothing was done to ${root} that can be undone.`);
  if (id !== undefined && record.id !== id)
    throw new ProblemError(
      'undo_outdated',
      'Something else was done since then.',
      'Undo that first.',
    );
  const stayed: Problem[] = [];
  const movedBack = await moveBack(record.moves, stayed);
  const removed = await removeMade(record.files, stayed);
  for (const folder of [...record.folders].reverse()) await removeIfEmpty(folder);
  await addKept(record.folders, stayed);
  await history.forget(record);
  return { title: record.title, removed, movedBack, stayed };
}

async function moveBack(
  moves: readonly { readonly from: string; readonly to: string }[],
  stayed: Problem[],
): Promise<number> {
  let moved = 0;
  for (const { from, to } of [...moves].reverse()) {
    // A kill may have come before this move.
    if (!(await fileExists(to))) continue;
    if (await fileExists(from)) {
      stayed.push(
        warning(
          'in_the_way',
          `${to} stays: there is another ${basename(from)} by now.`,
          'Move it yourself.',
        ),
      );
      continue;
    }
    try {
      await makeFolders(dirname(from));
      await rename(to, from);
      moved += 1;
    } catch (error) {
      throw fileProblem(error, to);
    }
    await removeIfEmpty(dirname(to));
    await removeIfEmpty(dirname(dirname(to)));
  }
  return moved;
}

async function removeMade(files: readonly MadeFile[], stayed: Problem[]): Promise<number> {
  const changed: string[] = [];
  const orphaned: string[] = [];
  let removed = 0;
  for (const file of files) {
    const unchanged = await isUnchanged(file.path, file);
    if (unchanged === null) continue;
    if (!unchanged) changed.push(basename(file.path));
    else if (!(await hasOriginal(file))) orphaned.push(basename(file.path));
    else {
      try {
        await rm(file.path);
        removed += 1;
      } catch (error) {
        throw fileProblem(error, file.path);
      }
    }
  }
  if (changed.length > 0)
    stayed.push(
      warning(
        'changed_since',
        `Changed since then, so it stays: ${listed(changed)}.`,
        'Delete it yourself if you do not want it.',
      ),
    );
  if (orphaned.length > 0)
    stayed.push(
      warning(
        'original_gone',
        `The original is gone or was changed, so the copy stays: ${listed(orphaned)}.`,
        'It may be the only one that there is.',
      ),
    );
  return removed;
}

/** The original is still there with the same content. */
const hasOriginal = async ({ path, source }: MadeFile): Promise<boolean> =>
  (await fileExists(source)) && (await isSameFile(source, path).catch(() => false));

/** Folders that were made then and are not empty: captions, say, that were written beside the pictures. */
async function addKept(folders: readonly string[], stayed: Problem[]): Promise<void> {
  const kept: string[] = [];
  for (const folder of folders) if (await fileExists(folder)) kept.push(folder);
  const inner = kept.filter(
    (folder) => !kept.some((other) => other !== folder && dirname(other) === folder),
  );
  if (inner.length > 0)
    stayed.push(
      warning(
        'folders_kept',
        `What was added there since stays: ${inner.join(', ')}.`,
        'Captions, trained files and logs are never removed.',
      ),
    );
}
