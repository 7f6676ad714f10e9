import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PictureFacts } from '../../shared/picture-protocol';
import { HurriedQueue } from '../lib/hurried-queue';

const MAX_KNOWN = 100_000;
/** Enough to keep the worker's threads busy. */
const IN_FLIGHT = 12;

/** Asks the bridge what a picture is, and for its thumbnail in a file. */
export type ExaminePicture = (path: string, thumbnail: string) => Promise<PictureFacts>;

/**
 * Small pictures by id, kept as files. The code that trains makes them: it decodes the whole picture, so what it can
 * read here it can read there, and one that is kept proves that its picture was whole.
 */
export class Thumbnails {
  readonly #known = new Map<string, Promise<PictureFacts>>();
  readonly #read = new Map<string, PictureFacts>();
  readonly #queue = new HurriedQueue(IN_FLIGHT);

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
    const facts = this.#queue.run(id, () => this.examine(path, this.#fileOf(id)));
    if (this.#known.size >= MAX_KNOWN) {
      this.#known.clear();
      this.#read.clear();
    }
    this.#known.set(id, facts);
    facts.then(
      (read) => this.#read.set(id, read),
      () => this.#known.delete(id),
    );
    return facts;
  }

  /** What a picture is, where that was read already. */
  alreadyRead(id: string): PictureFacts | null {
    return this.#read.get(id) ?? null;
  }

  /** The bytes of a thumbnail; one that is still to be made is made now. Null when there is none. */
  async find(id: string): Promise<Buffer | null> {
    this.#queue.hurry(id);
    await this.#known.get(id)?.catch(() => undefined);
    return readFile(this.#fileOf(id)).catch(() => null);
  }

  #fileOf(id: string): string {
    return join(this.folder, `${id}.webp`);
  }
}
