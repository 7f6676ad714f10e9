import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, parse } from 'node:path';
import type { Problem } from '../../shared/result';
import { fileExists, isSameFile } from '../lib/copy';
import { isNotFound } from '../lib/file-problem';
import { captionExtensions, captionFileOf } from './captions';
import { isTrained, type Picture } from './pictures';
import { warning, type Source } from './preparation-form';

export interface Copy {
  readonly source: string;
  readonly target: string;
  readonly bytes: number;
}

/** What bringing one folder of pictures into the layout comes to. */
export interface FolderCopies {
  readonly source: Source;
  /** Pictures that can be used. */
  readonly pictures: readonly Picture[];
  /** Pictures to be copied, each followed by its caption files. */
  readonly copies: readonly Copy[];
  /** Pictures that are there already with the same content. */
  readonly kept: number;
  readonly exists: boolean;
  readonly warnings: readonly Problem[];
}

/** Decides about each file before any is touched: copied, kept, or copied under a free name. */
export async function planCopies(source: Source, all: readonly Picture[]): Promise<FolderCopies> {
  const pictures = all.filter((picture) => picture.problem === null);
  const damaged = all.filter((picture) => picture.problem !== null);
  const taken = new Set<string>();
  const copies: Copy[] = [];
  const renamed: string[] = [];
  const keptCaptions: string[] = [];
  let kept = 0;
  for (const picture of pictures) {
    const { target, isThere } = await findTarget(picture.path, source.target, taken);
    taken.add(basename(target).toLowerCase());
    if (isThere) kept += 1;
    else copies.push({ source: picture.path, target, bytes: picture.bytes });
    if (basename(target) !== picture.name) renamed.push(`${picture.name} → ${basename(target)}`);
    const captions = await planCaptions(picture.path, target);
    copies.push(...captions.copies);
    keptCaptions.push(...captions.kept);
  }
  return {
    source,
    pictures,
    copies,
    kept,
    exists: await fileExists(source.target),
    warnings: [
      ...damagedWarning(source, damaged),
      ...renamedWarning(renamed),
      ...captionWarning(keptCaptions),
      ...(await extraWarning(source, taken)),
    ],
  };
}

/** The picture's own name in the target folder, or the first numbered one that is free or holds the same picture. */
async function findTarget(
  path: string,
  folder: string,
  taken: ReadonlySet<string>,
): Promise<{ readonly target: string; readonly isThere: boolean }> {
  const { name, ext } = parse(path);
  for (let number = 1; ; number += 1) {
    const target = join(folder, number === 1 ? `${name}${ext}` : `${name}-${String(number)}${ext}`);
    if (taken.has(basename(target).toLowerCase())) continue;
    if (!(await fileExists(target))) return { target, isThere: false };
    if (await isSameFile(path, target)) return { target, isThere: true };
  }
}

/** Captions that are in the target folder already stay: they may have been edited there. */
async function planCaptions(
  picture: string,
  target: string,
): Promise<{ readonly copies: readonly Copy[]; readonly kept: readonly string[] }> {
  const copies: Copy[] = [];
  const kept: string[] = [];
  for (const extension of captionExtensions) {
    const from = captionFileOf(picture, extension);
    const to = captionFileOf(target, extension);
    const size = await sizeOf(from);
    if (size === null) continue;
    if (!(await fileExists(to))) copies.push({ source: from, target: to, bytes: size });
    else if (!(await isSameFile(from, to))) kept.push(basename(to));
  }
  return { copies, kept };
}

const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    (stats) => (stats.isFile() ? stats.size : null),
    (error: unknown) => {
      if (isNotFound(error)) return null;
      throw error;
    },
  );

const listed = (names: readonly string[]): string =>
  names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${String(names.length - 3)} more`;

function damagedWarning({ folder }: Source, damaged: readonly Picture[]): Problem[] {
  if (damaged.length === 0) return [];
  const names = listed(damaged.map((picture) => picture.name));
  return [
    warning(
      'pictures_left_out',
      `Left out of ${basename(folder)}, because they cannot be used: ${names}.`,
      'They are marked in the grid.',
    ),
  ];
}

function renamedWarning(renamed: readonly string[]): Problem[] {
  if (renamed.length === 0) return [];
  return [
    warning(
      'pictures_renamed',
      `${String(renamed.length)} pictures have the name of another picture that is there already: ${listed(renamed)}.`,
      'Both are kept and both will be trained on. Remove the old ones yourself if you do not want them.',
    ),
  ];
}

function captionWarning(kept: readonly string[]): Problem[] {
  if (kept.length === 0) return [];
  return [
    warning(
      'captions_kept',
      `${String(kept.length)} captions in the destination differ from those beside your pictures and stay: ${listed(kept)}.`,
      'Edit them on the Captioning tab.',
    ),
  ];
}

async function extraWarning({ target }: Source, taken: ReadonlySet<string>): Promise<Problem[]> {
  const names = await readdir(target).catch(() => []);
  const extra = names.filter((name) => isTrained(name) && !taken.has(name.toLowerCase()));
  if (extra.length === 0) return [];
  return [
    warning(
      'pictures_already_there',
      `${basename(dirname(target))}/${basename(target)} holds ${String(extra.length)} other pictures, which will be trained on too: ${listed(extra)}.`,
      'Remove them yourself if you do not want them.',
    ),
  ];
}
