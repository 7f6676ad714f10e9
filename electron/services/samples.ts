import { readFile, realpath } from 'node:fs/promises';
import type { JobView } from '../../shared/job-view';
import { isInside } from '../lib/paths';

/**
 * The bytes of the sample whose event has this `seq`. Null when there is none, when its file cannot be read, and when its
 * event names a file that does not lie in the job's folder, links followed: events are what a process wrote, and are
 * not taken at their word.
 */
export async function readSample(
  { folder, samples }: Pick<JobView, 'folder' | 'samples'>,
  seq: number,
): Promise<Buffer | null> {
  const sample = samples.find((event) => event.seq === seq);
  if (sample === undefined) return null;
  try {
    const file = await realpath(sample.path);
    return isInside(await realpath(folder), file) ? await readFile(file) : null;
  } catch {
    return null;
  }
}
