import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, parse } from 'node:path';
import type { Problem } from '../../shared/result';
import { fileExists, isSameFile } from '../lib/copy';
import { fileProblem, isNotFound } from '../lib/file-problem';
import { captionExtensions, captionFileOf } from './captions';
import { editFileOf } from './picture-edits';
import { isTrained, type Picture } from './pictures';
import { listed, warning, type Target } from './preparation-form';

export interface Copy {
  readonly kind: 'picture' | 'caption';
  readonly source: string;
  readonly target: string;
  readonly bytes: number;
  /** When the source was changed last; its copy keeps that. */
  readonly mtimeMs: number;
  /** It lies on the disk of the destination, so that a link can take the place of a copy. */
  readonly canLink: boolean;
}

/** What bringing pictures into one folder of the layout comes to. */
export interface FolderCopies {
  readonly target: Target;
  /** Pictures that can be used. */
  readonly pictures: readonly Picture[];
  /** Pictures to be copied, each followed by its caption files. */
  readonly copies: readonly Copy[];
  /** Pictures that are there already with the same content. */
  readonly kept: number;
  readonly exists: boolean;
  /** Names of other pictures that are in the folder and will be trained on too. */
  readonly extra: readonly string[];
  readonly warnings: readonly Problem[];
}

/**
 * Decides about each file before any is touched: copied, kept, or copied under a free name.
 *
 * @param disk the number of the destination's disk, as `stat` tells it
 */
export async function planCopies(
  target: Target,
  all: readonly Picture[],
  disk: number | null,
): Promise<FolderCopies> {
  const pictures = all.filter((picture) => picture.problem === null);
  const damaged = all.filter((picture) => picture.problem !== null);
  const taken = new Map<string, string>();
  const copies: Copy[] = [];
  const planned = new Set<string>();
  const renamed: string[] = [];
  const keptCaptions: string[] = [];
  let kept = 0;
  for (const picture of pictures) {
    const { path, isThere } = await findPlace(picture.path, target.path, taken);
    taken.set(basename(path).toLowerCase(), stemOf(picture.path));
    taken.set(parse(path).name.toLowerCase(), stemOf(picture.path));
    if (isThere) kept += 1;
    else copies.push(await copyOf('picture', picture.path, path, disk));
    if (basename(path) !== picture.name) renamed.push(`${picture.name} → ${basename(path)}`);
    const captions = await planCaptions(picture.path, path, planned);
    copies.push(...captions.copies);
    keptCaptions.push(...captions.kept);
  }
  const extra = await extraPictures(target.path, taken);
  return {
    target,
    pictures,
    copies,
    kept,
    exists: await fileExists(target.path),
    extra,
    warnings: [
      ...damagedWarning(target, damaged),
      ...renamedWarning(target, renamed),
      ...captionWarning(keptCaptions),
      ...extraWarning(target, extra),
    ],
  };
}

/** @throws ProblemError `not_found` for a picture that went away meanwhile */
async function copyOf(
  kind: Copy['kind'],
  source: string,
  target: string,
  disk: number | null,
): Promise<Copy> {
  try {
    const { size, mtimeMs, dev } = await stat(source);
    const canLink = kind === 'picture' && dev === disk;
    return { kind, source, target, bytes: size, mtimeMs, canLink };
  } catch (error) {
    throw fileProblem(error, source);
  }
}

/**
 * The picture's own name in the target folder, or the first numbered one that is free or holds the same picture.
 *
 * @param taken by lower-cased name, with and without its extension: the source, as far as its extension. A caption goes
 *   by the name without the extension, so `a.jpg` and `a.png` of two folders must not both be `a`.
 */
async function findPlace(
  picture: string,
  folder: string,
  taken: ReadonlyMap<string, string>,
): Promise<{ readonly path: string; readonly isThere: boolean }> {
  const { name, ext } = parse(picture);
  for (let number = 1; ; number += 1) {
    const stem = number === 1 ? name : `${name}-${String(number)}`;
    const owner = taken.get(stem.toLowerCase()) ?? stemOf(picture);
    if (taken.has(`${stem}${ext}`.toLowerCase()) || owner !== stemOf(picture)) continue;
    const path = join(folder, `${stem}${ext}`);
    if (!(await fileExists(path))) return { path, isThere: false };
    if (await isSameFile(picture, path)) return { path, isThere: true };
  }
}

/**
 * Captions and crops that are in the target folder already stay: they may have been edited there.
 *
 * @param planned the targets of those that are planned, which grows
 */
async function planCaptions(
  picture: string,
  target: string,
  planned: Set<string>,
): Promise<{ readonly copies: readonly Copy[]; readonly kept: readonly string[] }> {
  const copies: Copy[] = [];
  const kept: string[] = [];
  for (const [from, to] of filesBeside(picture, target)) {
    // Two pictures of one folder can share a caption.
    if (planned.has(to) || !(await isFile(from))) continue;
    if (!(await fileExists(to))) {
      copies.push(await copyOf('caption', from, to, null));
      planned.add(to);
    } else if (!(await isSameFile(from, to))) kept.push(basename(to));
  }
  return { copies, kept };
}

/** What belongs to a picture, where it is and where it goes: its captions, and how it is cropped and turned. */
const filesBeside = (picture: string, target: string): (readonly [string, string])[] => [
  ...captionExtensions.map(
    (extension) => [captionFileOf(picture, extension), captionFileOf(target, extension)] as const,
  ),
  [editFileOf(picture), editFileOf(target)],
];

/** A path without its extension. */
const stemOf = (path: string): string => join(dirname(path), parse(path).name);

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isFile(),
    (error: unknown) => {
      if (isNotFound(error)) return false;
      throw error;
    },
  );

function damagedWarning({ path }: Target, damaged: readonly Picture[]): Problem[] {
  if (damaged.length === 0) return [];
  const names = listed(damaged.map((picture) => picture.name));
  return [
    warning(
      'pictures_left_out',
      `Left out of ${basename(path)}, because they cannot be used: ${names}.`,
      'They are marked in the grid.',
    ),
  ];
}

function renamedWarning({ path }: Target, renamed: readonly string[]): Problem[] {
  if (renamed.length === 0) return [];
  const pictures =
    renamed.length === 1 ? '1 picture gets' : `${String(renamed.length)} pictures get`;
  return [
    warning(
      'pictures_renamed',
      `${pictures} a new name in ${basename(path)}, because another picture has theirs: ${listed(renamed)}.`,
      'All are kept and all will be trained on, each with its own caption.',
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

async function extraPictures(
  folder: string,
  taken: ReadonlyMap<string, string>,
): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => isTrained(name) && !taken.has(name.toLowerCase()));
}

function extraWarning({ path }: Target, extra: readonly string[]): Problem[] {
  if (extra.length === 0) return [];
  return [
    warning(
      'pictures_already_there',
      `${basename(dirname(path))}/${basename(path)} holds ${String(extra.length)} other pictures, which will be trained on too: ${listed(extra)}.`,
      'Remove them yourself if you do not want them.',
    ),
  ];
}
