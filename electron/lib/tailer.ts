import { watch, type FSWatcher } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isNotFound } from './file-problem';
import { LineReader } from './line-reader';

const POLL_MS = 250;
const CHUNK_BYTES = 256 * 1024;

/**
 * Follows a file that another process appends to. It need not exist yet. Watching makes it quick; polling makes it
 * certain, for file systems that do not tell of changes.
 */
export class Tailer {
  readonly #path: string;
  readonly #reader: LineReader;
  readonly #onLines: (lines: readonly string[]) => void;
  readonly #onError: (error: unknown) => void;
  #offset = 0;
  #reading: Promise<void> = Promise.resolve();
  #queued = false;
  #timer: NodeJS.Timeout | null = null;
  #watcher: FSWatcher | null = null;

  constructor(
    path: string,
    options: {
      readonly maxLineBytes: number;
      readonly onLines: (lines: readonly string[]) => void;
      readonly onError: (error: unknown) => void;
    },
  ) {
    this.#path = path;
    this.#reader = new LineReader(options.maxLineBytes);
    this.#onLines = options.onLines;
    this.#onError = options.onError;
  }

  get droppedLines(): number {
    return this.#reader.dropped;
  }

  start(): void {
    this.#timer = setInterval(() => void this.drain(), POLL_MS);
    try {
      this.#watcher = watch(dirname(this.#path), () => void this.drain());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // Polling alone does it, only later.
    }
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#watcher?.close();
    this.#timer = null;
    this.#watcher = null;
  }

  /** Reads all that is there now. Calls that come while it reads share one more reading. */
  drain(): Promise<void> {
    if (this.#queued) return this.#reading;
    this.#queued = true;
    this.#reading = this.#reading.then(async () => {
      this.#queued = false;
      await this.#read().catch(this.#onError);
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const file = await open(this.#path, 'r').catch((error: unknown) => {
      if (isNotFound(error)) return null;
      throw error;
    });
    if (file === null) return;
    try {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, this.#offset);
        if (bytesRead === 0) return;
        this.#offset += bytesRead;
        const lines = this.#reader.push(Buffer.from(chunk.subarray(0, bytesRead)));
        if (lines.length > 0) this.#onLines(lines);
      }
    } finally {
      await file.close();
    }
  }
}
