import { constants } from 'node:fs';
import {
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
} from 'node:fs/promises';
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

/**
 * Copies a file, with its times, to a name that must be free; a copy cut short never has that name, but that of `part`
 * beside it.
 */
export async function copyNew(source: string, target: string, part: string): Promise<void> {
  const temporary = join(dirname(target), part);
  try {
    await copyFile(source, temporary, constants.COPYFILE_EXCL);
    const { atime, mtime } = await stat(source);
    await utimes(temporary, atime, mtime);
    if (await fileExists(target)) throw appeared(target);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const appeared = (target: string): ProblemError =>
  new ProblemError('file_appeared', `${target} appeared meanwhile.`, 'Try again.');

/** What file systems answer that know no hard links, or allow none between these two places. */
const unlinkable = new Set([
  'EXDEV',
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EINVAL',
]);

/** Gives a file a second name, which must be free. False where the file system cannot. */
export async function linkNew(source: string, target: string): Promise<boolean> {
  try {
    // The file itself where the source is a symbolic link.
    await link(await realpath(source), target);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw appeared(target);
    if (unlinkable.has(codeOf(error))) return false;
    throw error;
  }
}

/** The folders of a path that are not there, outermost first. */
export async function missingFolders(path: string): Promise<string[]> {
  if (dirname(path) === path || (await fileExists(path))) return [];
  return [...(await missingFolders(dirname(path))), path];
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
