import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseFolderName } from '../../shared/kohya/folder-name';
import { ProblemError } from '../../shared/result';
import { fileExists, makeFolders } from '../lib/copy';
import { fileProblem } from '../lib/file-problem';
import type { FolderHistory, Move } from './folder-history';

/** Where folders go that are not to be trained on: beside `img` and `reg`, so that no trainer looks there. */
const ASIDE = 'set-aside';

/** Moves folders one after the other; a failure leaves those before it moved and recorded. */
export async function moveAll(
  history: FolderHistory,
  root: string,
  title: string,
  moves: readonly Move[],
): Promise<void> {
  const record = await history.begin({ root, title, folders: [], files: [], moves: [...moves] });
  let done = 0;
  try {
    for (const { from, to } of moves) {
      if (await fileExists(to))
        throw new ProblemError(
          'name_taken',
          `${to} is there already.`,
          'Look at it, and try again.',
        );
      await makeFolders(dirname(to));
      await rename(from, to);
      done += 1;
    }
  } catch (error) {
    if (done === 0) await history.forget(record);
    else await history.finish({ ...record, moves: moves.slice(0, done) });
    throw fileProblem(error, moves[done]?.from ?? root);
  }
  await history.finish(record);
}

/** Moves `<repeats>_<prompt>` folders of a project out of the way of trainers. @throws ProblemError `not_a_leftover` */
export async function setAside(
  history: FolderHistory,
  destination: string,
  folders: readonly string[],
): Promise<void> {
  const moves: Move[] = [];
  for (const from of folders) {
    const role = roleOf(destination, from);
    moves.push({ from, to: await freeName(join(destination, ASIDE, role, basename(from)), moves) });
  }
  const [first] = folders;
  const title =
    folders.length === 1 && first !== undefined
      ? `Moved ${basename(first)} aside`
      : `Moved ${String(folders.length)} folders aside`;
  await moveAll(history, destination, title, moves);
}

/** Gives a folder of a project the name that it has with other repeats. @throws ProblemError `not_a_leftover` */
export async function renameFolder(
  history: FolderHistory,
  destination: string,
  from: string,
  to: string,
): Promise<void> {
  if (roleOf(destination, from) !== roleOf(destination, to)) throw notALeftover(to);
  const title = `Renamed ${basename(from)} to ${basename(to)}`;
  await moveAll(history, destination, title, [{ from, to }]);
}

function roleOf(destination: string, folder: string): string {
  const role = basename(dirname(folder));
  const isOurs =
    ['img', 'reg'].includes(role) &&
    join(destination, role, basename(folder)) === join(folder) &&
    parseFolderName(basename(folder)) !== null;
  if (!isOurs) throw notALeftover(folder);
  return role;
}

const notALeftover = (folder: string): ProblemError =>
  new ProblemError('not_a_leftover', `${folder} is no folder of an earlier preparation.`);

async function freeName(path: string, planned: readonly Move[]): Promise<string> {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? path : `${path} (${String(number)})`;
    if (!planned.some(({ to }) => to === candidate) && !(await fileExists(candidate)))
      return candidate;
  }
}
