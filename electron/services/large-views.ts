import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** More than any screen shows of a picture at once; what is larger is made smaller. */
const LARGE_SIDE = 4096;
const MAX_KEPT = 24;

export type LargeKind = 'edited' | 'uncropped';

/** Has the bridge write a picture, upright, in at most `side` pixels a side. */
export type ShowPicture = (
  path: string,
  target: string,
  side: number,
  cropped: boolean,
) => Promise<unknown>;

/** Pictures for the large view, in a format that every window can show. The last ones are kept. */
export class LargeViews {
  readonly #made = new Map<string, Promise<unknown>>();
  #emptied: Promise<void> | null = null;

  constructor(
    private readonly folder: string,
    private readonly show: ShowPicture,
    private readonly pathOf: (id: string) => string | null,
  ) {}

  /** Null for a picture that no scan has shown, or that cannot be read. */
  async find(kind: LargeKind, id: string): Promise<Buffer | null> {
    const path = this.pathOf(id);
    if (path === null) return null;
    // What an earlier start made is not known any more.
    await (this.#emptied ??= rm(this.folder, { recursive: true, force: true }));
    const file = join(this.folder, `${id}-${kind}.webp`);
    const making = this.#made.get(file) ?? this.show(path, file, LARGE_SIDE, kind === 'edited');
    this.#made.delete(file);
    this.#made.set(file, making);
    try {
      await making;
    } catch {
      this.#made.delete(file);
      return null;
    }
    await this.#dropOldest();
    return readFile(file).catch(() => null);
  }

  async #dropOldest(): Promise<void> {
    for (const file of [...this.#made.keys()].slice(0, Math.max(0, this.#made.size - MAX_KEPT))) {
      this.#made.delete(file);
      await rm(file, { force: true });
    }
  }
}
