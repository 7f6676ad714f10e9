import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Balance } from '../../shared/dataset-answers';
import { balancedName, balancedRepeats, parseBalanceName } from '../../shared/kohya/balance';
import { isSameName } from '../../shared/kohya/folder-name';
import { ProblemError } from '../../shared/result';
import { fileProblem } from '../lib/file-problem';
import type { FolderHistory, Move } from './folder-history';
import { moveAll } from './moving';
import { isTrained } from './pictures';

type Row = Balance['rows'][number];

/** A change of a project's `img` is one of the project. */
export const rootOf = (folder: string): string =>
  ['img', 'reg'].includes(basename(folder)) ? dirname(folder) : folder;

/**
 * What balancing would make of the `<repeats>_<name>` folders in a folder: each about `steps` steps an epoch. Renames
 * nothing.
 *
 * @throws ProblemError `nothing_to_balance`, `folder_missing`
 */
export async function planBalance(folder: string, steps: number): Promise<Row[]> {
  const names = await subfolders(folder);
  const rows = await Promise.all(names.map((name) => planRow(folder, name, steps)));
  const wanted = rows.filter((row) => row !== null);
  if (wanted.length === 0)
    throw new ProblemError(
      'nothing_to_balance',
      `There are no folders named <repeats>_<name> in ${folder}.`,
      'Choose the folder that holds them, such as img.',
    );
  return withCollisions(wanted, names);
}

/** Renames as planned. @returns how many folders */
export async function balanceFolder(
  history: FolderHistory,
  folder: string,
  steps: number,
): Promise<number> {
  const rows = (await planBalance(folder, steps)).filter(
    ({ name, newName, problem }) => problem === null && name !== newName,
  );
  if (rows.length === 0) return 0;
  const title = `Balanced ${String(rows.length)} ${rows.length === 1 ? 'folder' : 'folders'}`;
  await moveAll(history, rootOf(folder), title, inOrder(folder, rows));
  return rows.length;
}

async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    throw fileProblem(error, folder);
  }
}

async function planRow(folder: string, name: string, steps: number): Promise<Row | null> {
  const parsed = parseBalanceName(name);
  if (parsed === null) return null;
  const images = (await readdir(join(folder, name))).filter(isTrained).length;
  const newRepeats = balancedRepeats(images, steps, parsed.multiplier);
  // Kohya names a folder without images 0_name; there is nothing in it to be balanced.
  const newName = images === 0 ? name : balancedName(newRepeats, parsed);
  const { repeats } = parsed;
  return { name, images, repeats, newRepeats, newName, problem: null };
}

/** A row whose new name another folder has, or gets before it, stays as it is. */
function withCollisions(rows: readonly Row[], names: readonly string[]): Row[] {
  const moving = new Set(rows.filter(isMoving).map(({ name }) => name));
  let planned = [...rows];
  // One that stays may be in the way of another, which then stays too.
  for (;;) {
    const blocked = planned.find(
      (row) =>
        row.problem === null && isMoving(row) && blockerOf(row, planned, names, moving) !== null,
    );
    if (blocked === undefined) return planned;
    const blocker = blockerOf(blocked, planned, names, moving) ?? '';
    const problem = `${blocked.newName} is the name of ${blocker}, so this folder stays.`;
    moving.delete(blocked.name);
    planned = planned.map((row) => (row === blocked ? { ...row, problem } : row));
  }
}

const isMoving = ({ name, newName }: Row): boolean => name !== newName;

/** The folder that has, or gets, the name that this one should get. Two that would swap names block each other. */
function blockerOf(
  row: Row,
  rows: readonly Row[],
  names: readonly string[],
  moving: ReadonlySet<string>,
): string | null {
  const holder = names.find((name) => name !== row.name && isSameName(name, row.newName));
  if (holder !== undefined && (!moving.has(holder) || leadsBack(row, rows))) return holder;
  const rival = rows.find(
    (other) => other !== row && moving.has(other.name) && isSameName(other.newName, row.newName),
  );
  return rival !== undefined && rows.indexOf(rival) < rows.indexOf(row) ? rival.name : null;
}

/** Whether the folders in the way end at this one again. */
function leadsBack(row: Row, rows: readonly Row[]): boolean {
  let next: Row | undefined = row;
  for (const _ of rows) {
    const wanted: string = next.newName;
    next = rows.find((other) => isSameName(other.name, wanted) && isMoving(other));
    if (next === undefined) return false;
    if (next === row) return true;
  }
  return false;
}

/** Those whose new name is free come first. */
function inOrder(folder: string, rows: readonly Row[]): Move[] {
  const waiting = [...rows];
  const moves: Move[] = [];
  while (waiting.length > 0) {
    const free = waiting.findIndex(
      (row) => !waiting.some((other) => other !== row && isSameName(other.name, row.newName)),
    );
    const [row] = waiting.splice(Math.max(free, 0), 1);
    if (row !== undefined)
      moves.push({ from: join(folder, row.name), to: join(folder, row.newName) });
  }
  return moves;
}
