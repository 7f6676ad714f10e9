import { rm } from 'node:fs/promises';
import type { PreparationProgress } from '../../shared/dataset-answers';
import type { Transfer } from '../../shared/dataset-form';
import { ProblemError } from '../../shared/result';
import { copyNew, linkNew, makeFolders, missingFolders, removeIfEmpty } from '../lib/copy';
import { fileProblem } from '../lib/file-problem';
import { sum } from '../lib/sum';
import { throttled } from '../lib/throttled';
import { partOf, type FolderHistory } from './folder-history';
import type { Copy } from './preparation-copies';

const PROGRESS_MS = 100;

export interface Copying {
  /** The project. */
  readonly root: string;
  /** What is done, for the undo button. */
  readonly title: string;
  readonly folders: readonly string[];
  readonly copies: readonly Copy[];
  readonly transfer: Transfer;
}

/**
 * Makes the folders and the copies, or nothing: what was made before a failure or a cancellation is removed again. What
 * is to be made is recorded first.
 *
 * @returns how many pictures were linked
 * @throws ProblemError `cancelled`, `disk_full`, `no_permission`
 */
export async function copyAll(
  copying: Copying,
  history: FolderHistory,
  signal: AbortSignal,
  onProgress: (progress: PreparationProgress) => void,
): Promise<number> {
  const { root, title, folders, copies, transfer } = copying;
  const missing = (await Promise.all(folders.map(missingFolders))).flat();
  if (copies.length === 0 && missing.length === 0) return 0;
  const record = await history.begin({
    root,
    title,
    folders: [...new Set(missing)],
    files: copies.map(({ source, target, bytes, mtimeMs }) => ({
      path: target,
      source,
      bytes,
      mtimeMs,
    })),
    moves: [],
  });
  const madeFolders: string[] = [];
  const madeFiles: string[] = [];
  const bytesTotal = sum(copies.map((copy) => copy.bytes));
  let bytesDone = 0;
  let linked = 0;
  let current = root;
  const report = throttled(PROGRESS_MS, onProgress);
  const tell = (): void =>
    report({ done: madeFiles.length, total: copies.length, bytesDone, bytesTotal });
  try {
    for (current of folders) madeFolders.push(...(await makeFolders(current)));
    tell();
    for (const [index, copy] of copies.entries()) {
      if (signal.aborted) throw new ProblemError('cancelled', 'The preparation was cancelled.');
      current = copy.target;
      if (await transferOne(copy, transfer, partOf(record.id, index))) linked += 1;
      madeFiles.push(copy.target);
      bytesDone += copy.bytes;
      tell();
    }
  } catch (error) {
    await takeBack(madeFiles, madeFolders);
    await history.forget(record);
    throw fileProblem(error, sourceOf(error, copies) ?? current);
  }
  await history.finish(record);
  return linked;
}

/** True when it was linked. */
async function transferOne(copy: Copy, transfer: Transfer, part: string): Promise<boolean> {
  if (transfer === 'link' && copy.canLink && (await linkNew(copy.source, copy.target))) return true;
  await copyNew(copy.source, copy.target, part);
  return false;
}

async function takeBack(files: readonly string[], folders: readonly string[]): Promise<void> {
  for (const file of files) await rm(file, { force: true });
  for (const folder of [...folders].reverse()) await removeIfEmpty(folder);
}

/** The picture that went away meanwhile, where that is what went wrong. */
function sourceOf(error: unknown, copies: readonly Copy[]): string | undefined {
  const path = error instanceof Error && 'path' in error ? error.path : undefined;
  return copies.find(({ source }) => source === path)?.source;
}
