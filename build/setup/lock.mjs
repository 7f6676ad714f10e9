import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupFailure } from './failure.mjs';

/**
 * Does the work while no other set-up of this checkout does: two would pull node_modules from under each other.
 * A lock whose process is gone counts for nothing.
 */
export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  take(file);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const owner = Number(readFileSync(file, 'utf8'));
    if (isAlive(owner)) {
      throw new SetupFailure(
        `Set-up is already running here (process ${owner}).`,
        'Wait until it is done, then run the command again.',
      );
    }
    rmSync(file, { force: true });
    take(file);
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
