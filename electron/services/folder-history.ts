import { randomUUID } from 'node:crypto';
import { readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LastChange } from '../../shared/dataset-answers';
import { writeJsonAtomically } from '../lib/atomic-file';
import { isNotFound } from '../lib/file-problem';
import { isRunning, processStartTime } from '../lib/platform';
import { realPathOf } from '../lib/paths';
import type { Log } from './log';

/** A file that a preparation makes: as it is when it is made, and what it was made from. */
const madeFileSchema = z.strictObject({
  path: z.string(),
  source: z.string(),
  bytes: z.number(),
  mtimeMs: z.number(),
});
export type MadeFile = z.infer<typeof madeFileSchema>;

const moveSchema = z.strictObject({ from: z.string(), to: z.string() });
export type Move = z.infer<typeof moveSchema>;

const recordSchema = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string(),
  /** The project, or the folder of folders that was balanced. */
  root: z.string(),
  title: z.string(),
  createdAt: z.string(),
  /** Written before the first file is touched; a record that stays like this tells of a process that was killed. */
  isFinished: z.boolean(),
  process: z.strictObject({ pid: z.number(), startTime: z.string() }),
  /** Outermost first. */
  folders: z.array(z.string()),
  files: z.array(madeFileSchema),
  moves: z.array(moveSchema),
});
export type ChangeRecord = z.infer<typeof recordSchema>;

type Change = Pick<ChangeRecord, 'root' | 'title' | 'folders' | 'files' | 'moves'>;

/** Copies carry this until they are whole. The name tells whose they are, so that they can be cleared after a kill. */
export const partOf = (id: string, index: number): string => `.${id}-${String(index)}.part`;

/**
 * What was done to the folders of projects, kept as files so that it can be taken back after a restart too. A record is
 * written before anything is done: what a kill leaves behind is known.
 */
export class FolderHistory {
  constructor(
    private readonly folder: string,
    private readonly log: Log,
  ) {}

  async begin(change: Change): Promise<ChangeRecord> {
    const id = randomUUID();
    const record: ChangeRecord = {
      schemaVersion: 1,
      id,
      createdAt: new Date().toISOString(),
      isFinished: false,
      process: { pid: process.pid, startTime: (await processStartTime(process.pid)) ?? '' },
      ...change,
      root: await realPathOf(change.root),
    };
    await this.#write(record);
    return record;
  }

  finish(record: ChangeRecord): Promise<void> {
    return this.#write({ ...record, isFinished: true });
  }

  async forget({ id }: ChangeRecord): Promise<void> {
    await rm(this.#fileOf(id), { force: true });
  }

  /** What was done to a root last, be it finished or cut short by a kill; null where nothing was. */
  async last(root: string): Promise<ChangeRecord | null> {
    return (await this.#of(root)).at(-1) ?? null;
  }

  async describeLast(root: string): Promise<LastChange | null> {
    const last = await this.last(root);
    if (last === null) return null;
    const { id, title, createdAt } = last;
    return { id, title, createdAt };
  }

  /** Removes the unfinished copies that killed preparations of a root left. */
  async clearParts(root: string): Promise<void> {
    for (const record of await this.#of(root)) {
      if (record.isFinished || (await this.#isUnderWay(record))) continue;
      const folders = new Set(record.files.map(({ path }) => join(path, '..')));
      for (const folder of folders)
        for (const name of await readdir(folder).catch(() => []))
          if (name.startsWith(`.${record.id}-`) && name.endsWith('.part'))
            await rm(join(folder, name), { force: true });
    }
  }

  /** Another window or command is at it right now. */
  async isBusy(root: string): Promise<boolean> {
    for (const record of await this.#of(root))
      if (
        !record.isFinished &&
        record.process.pid !== process.pid &&
        (await this.#isUnderWay(record))
      )
        return true;
    return false;
  }

  #isUnderWay(record: ChangeRecord): Promise<boolean> {
    return isRunning(record.process);
  }

  /** Oldest first. */
  async #of(root: string): Promise<ChangeRecord[]> {
    const real = await realPathOf(root).catch(() => null);
    const names = await readdir(this.folder).catch((error: unknown) => {
      if (isNotFound(error)) return [];
      throw error;
    });
    const records = await Promise.all(
      names
        .filter((name) => name.endsWith('.json'))
        .map((name) => this.#read(join(this.folder, name))),
    );
    return records
      .filter((record) => record !== null)
      .filter((record) => record.root === real)
      .sort((one, other) => one.createdAt.localeCompare(other.createdAt));
  }

  async #read(path: string): Promise<ChangeRecord | null> {
    try {
      return recordSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch (error) {
      this.log.error(`${path} could not be read`, error);
      return null;
    }
  }

  #write(record: ChangeRecord): Promise<void> {
    return writeJsonAtomically(this.#fileOf(record.id), record);
  }

  #fileOf(id: string): string {
    return join(this.folder, `${id}.json`);
  }
}

/** Copies keep times to a millisecond, FAT to two seconds. */
const TIME_SLACK_MS = 2000;

/** Whether the file at a path is still the one that was made. Null when there is none any more. */
export async function isUnchanged(
  path: string,
  { bytes, mtimeMs }: Pick<MadeFile, 'bytes' | 'mtimeMs'>,
): Promise<boolean | null> {
  try {
    const stats = await stat(path);
    return (
      stats.isFile() && stats.size === bytes && Math.abs(stats.mtimeMs - mtimeMs) < TIME_SLACK_MS
    );
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
