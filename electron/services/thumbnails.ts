import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PictureFacts } from '../../shared/worker-protocol';

const MAX_KNOWN = 20_000;

/** Asks the bridge what a picture is, and for its thumbnail in a file. */
export type ExaminePicture = (path: string, thumbnail: string) => Promise<PictureFacts>;

/**
 * Small pictures by id, kept as files. The code that trains makes them: it decodes the whole picture, so what it can
 * read here it can read there, and one that is kept proves that its picture was whole.
 */
export class Thumbnails {
  readonly #known = new Map<string, Promise<PictureFacts>>();

  constructor(
    private readonly folder: string,
    private readonly examine: ExaminePicture,
  ) {}

  /**
   * What a picture is. Those who ask while it is being read share the answer. What cannot be read has a problem; rejects
   * only when the bridge does not answer, and is asked again the next time.
   */
  facts(id: string, path: string): Promise<PictureFacts> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const facts = this.examine(path, this.#fileOf(id));
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(id, facts);
    facts.catch(() => this.#known.delete(id));
    return facts;
  }

  /** The bytes of a thumbnail, once it is made where it is being made; null when there is none. */
  async find(id: string): Promise<Buffer | null> {
    await this.#known.get(id)?.catch(() => undefined);
    return readFile(this.#fileOf(id)).catch(() => null);
  }

  #fileOf(id: string): string {
    return join(this.folder, `${id}.webp`);
  }
}
