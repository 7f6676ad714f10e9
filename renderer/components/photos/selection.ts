/** Which pictures are selected in a grid, as file managers do it: by click, by Ctrl or Shift with it, and by keys. */

export interface Selection {
  /** Paths. */
  readonly selected: ReadonlySet<string>;
  /** The picture that the keys move from, by path; null before any was touched. */
  readonly current: string | null;
  /** Where a range begins. */
  readonly anchor: string | null;
}

export const nothingSelected: Selection = { selected: new Set(), current: null, anchor: null };

export interface Touch {
  /** Ctrl, or Command: this one more, or less. */
  readonly toggle: boolean;
  /** Shift: all from the anchor on. */
  readonly range: boolean;
}

/** The selection after a picture was clicked, or moved to by keys. */
export function touch(
  { selected, anchor }: Selection,
  paths: readonly string[],
  path: string,
  { toggle, range }: Touch,
): Selection {
  if (range) {
    const from = Math.max(0, anchor === null ? 0 : paths.indexOf(anchor));
    const to = paths.indexOf(path);
    const between = paths.slice(Math.min(from, to), Math.max(from, to) + 1);
    return {
      selected: new Set(toggle ? [...selected, ...between] : between),
      current: path,
      anchor: paths[from] ?? path,
    };
  }
  if (!toggle) return { selected: new Set([path]), current: path, anchor: path };
  const others = new Set(selected);
  if (!others.delete(path)) others.add(path);
  return { selected: others, current: path, anchor: path };
}

export const selectAll = (selection: Selection, paths: readonly string[]): Selection => ({
  ...selection,
  selected: new Set(paths),
});

const steps = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (columns: number) => -columns,
  ArrowDown: (columns: number) => columns,
  PageUp: (columns: number, rows: number) => -columns * rows,
  PageDown: (columns: number, rows: number) => columns * rows,
  Home: () => -Infinity,
  End: () => Infinity,
} as const;
export type MoveKey = keyof typeof steps;

export const isMoveKey = (key: string): key is MoveKey => Object.hasOwn(steps, key);

/** Where a key leads to from `index`, in a grid of `columns` of which `rows` are on the screen. */
export function moved(
  key: MoveKey,
  index: number,
  count: number,
  columns: number,
  rows: number,
): number {
  const target = index + steps[key](columns, rows);
  const isVertical = key !== 'ArrowLeft' && key !== 'ArrowRight' && Number.isFinite(target);
  // A row above the first or below the last is none: the focus stays in its column.
  if (isVertical && target < 0) return index % columns;
  if (isVertical && target >= count) {
    const inColumn = index + Math.floor((count - 1 - index) / columns) * columns;
    return key === 'ArrowDown' && inColumn === index ? Math.min(count - 1, target) : inColumn;
  }
  return Math.min(count - 1, Math.max(0, target));
}
