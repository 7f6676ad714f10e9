import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PreparationPlan } from '../../shared/dataset-answers';
import type { Transfer } from '../../shared/dataset-form';
import type { WorkerRequest } from '../../shared/worker-protocol';
import { sum } from '../lib/sum';
import type { Leftover } from './leftovers';
import type { Copy, FolderCopies } from './preparation-copies';

type PlanRequest = Extract<WorkerRequest, { type: 'plan' }>;
export type Concepts = NonNullable<PlanRequest['concepts']>;

export const plainFolders = (destination: string): readonly string[] => [
  join(destination, 'log'),
  join(destination, 'model'),
];

/** What the copies take on the disk: links take nothing. */
export const bytesOf = (copies: readonly Copy[], transfer: Transfer): number =>
  sum(copies.filter(({ canLink }) => transfer === 'copy' || !canLink).map(({ bytes }) => bytes));

export async function describeFolders(
  destination: string,
  folders: readonly FolderCopies[],
  transfer: Transfer,
): Promise<PreparationPlan['folders']> {
  const plain = (['log', 'model'] as const).map(async (role) => {
    const path = join(destination, role);
    const exists = await readdir(path).then(
      () => true,
      () => false,
    );
    const nothing = { concepts: [], repeats: 0, images: 0, added: 0, linkable: 0, bytes: 0 };
    return { role, path, exists, ...nothing };
  });
  return [
    ...folders.map(({ target, pictures, copies, kept, exists }) => ({
      role: target.role,
      path: target.path,
      concepts: [...target.concepts],
      repeats: target.repeats,
      images: pictures.length,
      added: pictures.length - kept,
      linkable: copies.filter(({ canLink }) => canLink).length,
      bytes: bytesOf(copies, transfer),
      exists,
    })),
    ...(await Promise.all(plain)),
  ];
}

/** All that will lie in the folders, for the plan of a training: what is brought, what is there, what is left over. */
export function plannedConcepts(
  folders: readonly FolderCopies[],
  leftovers: readonly Leftover[],
): Concepts {
  return [
    ...folders.flatMap(({ target, pictures, extra }) => {
      const concept = {
        prompt: target.prompt,
        repeats: target.repeats,
        regularization: target.role === 'reg',
      };
      const brought = byFolder(pictures.map(({ path }) => path)).map(([folder, files]) => ({
        ...concept,
        folder,
        files,
      }));
      if (extra.length === 0) return brought;
      return [...brought, { ...concept, folder: target.path, files: [...extra] }];
    }),
    ...leftovers.map(({ path, role, repeats, prompt }) => ({
      folder: path,
      prompt,
      repeats,
      regularization: role === 'reg',
    })),
  ];
}

function byFolder(paths: readonly string[]): [folder: string, names: string[]][] {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const names = folders.get(dirname(path)) ?? [];
    folders.set(dirname(path), [...names, basename(path)]);
  }
  return [...folders];
}
