import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, open, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ProblemError } from '../../shared/result';
import { codeOf, isNotFound } from './file-problem';

const COMPARE_BYTES = 1024 * 1024;
/** FAT keeps times to two seconds. */
const TIME_SLACK_MS = 2000;

export const fileExists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isNotFound(error)) return false;
      throw error;
    },
  );

/** Whether two files hold the same. Copies made by `copyNew` keep size and time, so most are told without reading. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([stat(a), stat(b)]);
  if (first.size !== second.size || !second.isFile()) return false;
  return Math.abs(first.mtimeMs - second.mtimeMs) < TIME_SLACK_MS || haveSameBytes(a, b);
}

async function haveSameBytes(a: string, b: string): Promise<boolean> {
  const files = await Promise.all([open(a, 'r'), open(b, 'r')]);
  const buffers = files.map(() => Buffer.allocUnsafe(COMPARE_BYTES));
  try {
    for (let position = 0; ; position += COMPARE_BYTES) {
      const [first, second] = await Promise.all(
        files.map(async (file, index) => {
          const buffer = buffers[index] ?? Buffer.alloc(0);
          const { bytesRead } = await file.read(buffer, 0, COMPARE_BYTES, position);
          return buffer.subarray(0, bytesRead);
        }),
      );
      if (first === undefined || second === undefined || !first.equals(second)) return false;
      if (first.length === 0) return true;
    }
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

/** Copies a file, with its times, to a name that must be free; a copy cut short never has that name. */
export async function copyNew(source: string, target: string): Promise<void> {
  const temporary = join(dirname(target), `.${randomUUID()}.part`);
  try {
    await copyFile(source, temporary, constants.COPYFILE_EXCL);
    const { atime, mtime } = await stat(source);
    await utimes(temporary, atime, mtime);
    if (await fileExists(target))
      throw new ProblemError('file_appeared', `${target} appeared meanwhile.`, 'Try again.');
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a folder and those above it that are missing; returns the ones made, outermost first. */
export async function makeFolders(path: string): Promise<string[]> {
  try {
    await mkdir(path);
    return [path];
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return [];
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const above = await makeFolders(dirname(path));
  await mkdir(path);
  return [...above, path];
}

/** Removes a folder if nothing is in it. */
export async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EPERM'].includes(codeOf(error))) throw error;
  });
}
