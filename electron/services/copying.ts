import { rm } from 'node:fs/promises';
import type { PreparationProgress } from '../../shared/dataset-answers';
import { ProblemError } from '../../shared/result';
import { copyNew, makeFolders, removeIfEmpty } from '../lib/copy';
import { fileProblem } from '../lib/file-problem';
import { sum } from '../lib/sum';
import { throttled } from '../lib/throttled';
import type { Copy } from './preparation-copies';

const PROGRESS_MS = 100;

/**
 * Makes the folders and the copies, or nothing: what was made before a failure or a cancellation is removed again.
 *
 * @throws ProblemError `cancelled`, `disk_full`, `no_permission`
 */
export async function copyAll(
  folders: readonly string[],
  copies: readonly Copy[],
  signal: AbortSignal,
  onProgress: (progress: PreparationProgress) => void,
): Promise<void> {
  const madeFolders: string[] = [];
  const madeFiles: string[] = [];
  const bytesTotal = sum(copies.map((copy) => copy.bytes));
  let bytesDone = 0;
  let current = '';
  const report = throttled(PROGRESS_MS, onProgress);
  const tell = (): void =>
    report({ done: madeFiles.length, total: copies.length, bytesDone, bytesTotal });
  try {
    for (current of folders) madeFolders.push(...(await makeFolders(current)));
    tell();
    for (const { source, target, bytes } of copies) {
      if (signal.aborted) throw new ProblemError('cancelled', 'The preparation was cancelled.');
      current = target;
      await copyNew(source, target);
      madeFiles.push(target);
      bytesDone += bytes;
      tell();
    }
  } catch (error) {
    for (const file of madeFiles) await rm(file, { force: true });
    for (const folder of madeFolders.reverse()) await removeIfEmpty(folder);
    throw fileProblem(error, current);
  }
}
