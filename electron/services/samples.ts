import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { JobView } from '../../shared/job-view';
import { isInside } from '../lib/paths';
import type { Thumbnails } from './thumbnails';

/** More pictures than these do not wait for the bridge: who scrolls through a long run sees the whole ones. */
const MOST_WAITING = 16;

export interface SamplePicture {
  readonly content: Buffer;
  readonly type: 'image/png' | 'image/webp';
}

/**
 * Where the sample lies whose event has this `seq`. Null when there is none, when its file is gone, and when its event
 * names a file that does not lie in the job's folder for samples, links followed: events are what a process wrote, and are not
 * taken at their word.
 */
export async function sampleFile(
  { folder, samples }: Pick<JobView, 'folder' | 'samples'>,
  seq: number,
): Promise<string | null> {
  const sample = samples.find((event) => event.seq === seq);
  if (sample === undefined) return null;
  const drawn = join(folder, 'samples');
  // By its name first: on Windows the mere look at a network path greets its host.
  if (!isAbsolute(sample.path) || !isInside(drawn, sample.path)) return null;
  try {
    const file = await realpath(sample.path);
    return isInside(await realpath(drawn), file) ? file : null;
  } catch {
    return null;
  }
}

/** The pictures of runs, whole and in small. They never change once they are drawn. */
export class Samples {
  #waiting = 0;

  constructor(
    private readonly fileOf: (jobId: string, seq: number) => Promise<string | null>,
    private readonly thumbnails: Pick<Thumbnails, 'facts' | 'find'>,
  ) {}

  /** As it was drawn; null when there is none. */
  async whole(jobId: string, seq: number): Promise<SamplePicture | null> {
    const file = await this.fileOf(jobId, seq);
    const content = file === null ? null : await readFile(file).catch(() => null);
    return content === null ? null : { content, type: 'image/png' };
  }

  /** In small, or whole where the bridge does not come to making it small; null when there is none. */
  async small(jobId: string, seq: number): Promise<SamplePicture | null> {
    const file = await this.fileOf(jobId, seq);
    if (file === null) return null;
    const id = createHash('sha256').update(`sample ${jobId} ${seq}`).digest('hex').slice(0, 32);
    const content = (await this.thumbnails.find(id)) ?? (await this.#shrink(id, file));
    return content === null ? this.whole(jobId, seq) : { content, type: 'image/webp' };
  }

  async #shrink(id: string, file: string): Promise<Buffer | null> {
    if (this.#waiting >= MOST_WAITING) return null;
    this.#waiting += 1;
    try {
      await this.thumbnails.facts(id, file);
    } catch {
      return null;
    } finally {
      this.#waiting -= 1;
    }
    return this.thumbnails.find(id);
  }
}
