import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Leftover as LeftoverAnswer } from '../../shared/dataset-answers';
import { isSameName, parseFolderName } from '../../shared/kohya/folder-name';
import { isTrained } from './pictures';
import type { FolderCopies } from './preparation-copies';

/** Another `<repeats>_<prompt>` folder that is there from before: Kohya and we train on all of them. */
export interface Leftover extends LeftoverAnswer {
  readonly repeats: number;
  readonly prompt: string;
}

export async function findLeftovers(
  destination: string,
  folders: readonly FolderCopies[],
): Promise<Leftover[]> {
  const roles = [...new Set(folders.map(({ target }) => target.role))];
  const found = await Promise.all(
    roles.map(async (role) => {
      const wanted = folders.filter(({ target }) => target.role === role);
      const names = await readdir(join(destination, role)).catch(() => []);
      const others = names.filter(
        (name) => !wanted.some(({ target }) => isSameName(basename(target.path), name)),
      );
      return Promise.all(others.map((name) => describe(destination, role, name, wanted)));
    }),
  );
  return found.flat().filter((leftover) => leftover !== null);
}

async function describe(
  destination: string,
  role: Leftover['role'],
  name: string,
  wanted: readonly FolderCopies[],
): Promise<Leftover | null> {
  const parsed = parseFolderName(name);
  if (parsed === null || parsed.repeats < 1) return null;
  const path = join(destination, role, name);
  const pictures = (await readdir(path).catch(() => [])).filter(isTrained);
  if (pictures.length === 0) return null;
  const heir = wanted.find(
    ({ target, exists }) => !exists && isSameName(target.prompt, parsed.prompt),
  );
  const renameTo = heir !== undefined && (await holdsSame(path, heir)) ? heir.target.path : null;
  return { role, path, images: pictures.length, renameTo, ...parsed };
}

/** Whether a folder has most of the pictures that would be copied again, by name and size. */
async function holdsSame(folder: string, { pictures }: FolderCopies): Promise<boolean> {
  const same = await Promise.all(
    pictures.map(async ({ name, bytes }) => {
      const stats = await stat(join(folder, name)).catch(() => null);
      return stats?.size === bytes;
    }),
  );
  return same.filter(Boolean).length * 2 > pictures.length;
}
