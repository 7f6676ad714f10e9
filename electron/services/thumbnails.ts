import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { writeFileAtomically } from '../lib/atomic-file';
import { readBitmap } from '../lib/bitmap';
import type { Log } from './log';

export interface PictureFacts {
  /** As shown, with the EXIF orientation applied; 0 when it could not be read. */
  readonly width: number;
  readonly height: number;
  readonly format: string;
  /** Why it cannot be used; null when it can. */
  readonly problem: string | null;
}

const SIDE = 320;
const MAX_PIXELS = 16384 * 16384;
const MAX_KNOWN = 20_000;

// Files are edited while the app runs: a cached one would be yesterday's.
sharp.cache(false);
sharp.concurrency(1);

/**
 * Small pictures by id, kept as files. Making one decodes the whole picture, so it also tells which are damaged; one
 * that is kept proves that its picture was whole.
 */
export class Thumbnails {
  readonly #known = new Map<string, Promise<PictureFacts>>();

  constructor(
    private readonly folder: string,
    private readonly log: Log,
  ) {}

  /** What a picture is. Never rejects: what cannot be read has a problem. */
  facts(id: string, path: string): Promise<PictureFacts> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const facts = this.#read(id, path).catch((error: unknown): PictureFacts => {
      this.log.info(`${path} cannot be read: ${String(error)}`);
      return { width: 0, height: 0, format: '', problem: problemText(error) };
    });
    this.#known.set(id, facts);
    return facts;
  }

  /** The file of a thumbnail; null when there is none. */
  async find(id: string): Promise<Buffer | null> {
    return readFile(this.#fileOf(id)).catch(() => null);
  }

  async #read(id: string, path: string): Promise<PictureFacts> {
    const image = await openImage(path);
    const { format, autoOrient } = await image.metadata();
    if (!(await exists(this.#fileOf(id)))) await this.#make(id, image);
    return {
      width: autoOrient.width,
      height: autoOrient.height,
      format: path.toLowerCase().endsWith('.bmp') ? 'bmp' : format,
      problem: null,
    };
  }

  async #make(id: string, image: Sharp): Promise<void> {
    const thumbnail = await image
      .clone()
      .autoOrient()
      .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 80 })
      .toBuffer();
    await writeFileAtomically(this.#fileOf(id), thumbnail).catch((error: unknown) =>
      this.log.warn(`The thumbnail ${id} could not be kept: ${String(error)}`),
    );
  }

  #fileOf(id: string): string {
    return join(this.folder, `${id}.webp`);
  }
}

async function openImage(path: string): Promise<Sharp> {
  const options = { limitInputPixels: MAX_PIXELS, failOn: 'error' } as const;
  if (!path.toLowerCase().endsWith('.bmp')) return sharp(path, options);
  const { data, ...raw } = readBitmap(await readFile(path));
  return sharp(data, { ...options, raw });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

function problemText(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  if (/pixel limit/iu.test(text)) return 'The picture is too large.';
  if (/unsupported image format/iu.test(text)) return 'This is not a picture, or it is damaged.';
  if (/EACCES|permission/iu.test(text)) return 'You have no permission to read it.';
  return 'The picture is damaged.';
}
