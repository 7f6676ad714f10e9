import { create } from 'zustand';

/** Pictures that are chosen, of one folder: another folder begins with none. */
interface Selection {
  readonly folder: string;
  readonly paths: readonly string[];
}

export const useSelection = create<Selection>(() => ({ folder: '', paths: [] }));

/** The chosen pictures of a folder, in its order. */
export const chosenOf = (
  { folder, paths }: Selection,
  inFolder: string,
  images: readonly { readonly path: string }[],
): readonly string[] => {
  if (folder !== inFolder) return [];
  const chosen = new Set(paths);
  return images.map(({ path }) => path).filter((path) => chosen.has(path));
};

export function choose(folder: string, path: string, chosen: boolean): void {
  useSelection.setState((selection) => {
    const before = selection.folder === folder ? selection.paths : [];
    const others = before.filter((other) => other !== path);
    return { folder, paths: chosen ? [...others, path] : others };
  });
}
