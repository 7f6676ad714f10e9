import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { writeJsonAtomically } from '../lib/atomic-file';
import type { Log } from './log';

/** A small file of the app's own that nobody misses: when it cannot be read it starts over quietly. */
export class DisposableFile<T> {
  constructor(
    private readonly path: string,
    private readonly schema: z.ZodType<T>,
    private readonly fallback: T,
    private readonly log: Log,
  ) {}

  async read(): Promise<T> {
    try {
      return this.schema.parse(JSON.parse(await readFile(this.path, 'utf8')));
    } catch {
      return this.fallback;
    }
  }

  async write(value: T): Promise<void> {
    try {
      await writeJsonAtomically(this.path, value);
    } catch (error) {
      this.log.error(`${this.path} could not be written`, error);
    }
  }
}
