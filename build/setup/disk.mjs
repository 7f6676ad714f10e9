import { statfsSync } from 'node:fs';
import { SetupFailure } from './failure.mjs';
import { size } from './report.mjs';

/** Throws when the disk of the folder has fewer than `needed` bytes free. */
export function requireDiskSpace(folder, needed, free = freeBytes(folder)) {
  if (free >= needed) return;
  throw new SetupFailure(
    `Set-up needs ${size(needed)} in ${folder}, and ${size(free)} are free.`,
    'Free some space, or clone the project on a larger disk, then run the command again.',
  );
}

function freeBytes(folder) {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
