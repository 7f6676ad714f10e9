import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { fileProblem } from '../lib/file-problem';
import { nearestExisting } from '../lib/paths';
import { freeBytes } from '../lib/platform';
import { toProblem } from '../../shared/result';
import type { FieldProblem } from './preparation-form';

/** Left on the disk for what the system and training need. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/** Free bytes where a folder is or would be; 0 where that cannot be told. */
export async function freeBytesAt(destination: string): Promise<number> {
  try {
    return await freeBytes(await nearestExisting(destination));
  } catch {
    return 0;
  }
}

/** The number of the disk where a folder is or would be; null where that cannot be told. */
export async function diskAt(destination: string): Promise<number | null> {
  try {
    return (await stat(await nearestExisting(destination))).dev;
  } catch {
    return null;
  }
}

/** Why `bytes` of copies cannot come to the destination: known before anything is copied. */
export async function destinationProblems(
  destination: string,
  bytes: number,
  free: number,
): Promise<FieldProblem[]> {
  try {
    await access(await nearestExisting(destination), constants.W_OK);
  } catch (error) {
    return [
      { concept: null, field: 'destination', problem: toProblem(fileProblem(error, destination)) },
    ];
  }
  if (bytes === 0 || bytes + RESERVE_BYTES <= free) return [];
  const inMegabytes = (value: number): string => `${String(Math.ceil(value / 1e6))} MB`;
  return [
    {
      concept: null,
      field: 'destination',
      problem: {
        code: 'disk_full',
        message: `${destination} has ${inMegabytes(free)} free; the copies need ${inMegabytes(bytes + RESERVE_BYTES)}.`,
        hint: 'Free some space, or choose a destination on another disk.',
      },
    },
  ];
}
