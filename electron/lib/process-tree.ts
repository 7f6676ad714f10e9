import { setTimeout as sleep } from 'node:timers/promises';
import { endingSignals, isRunning, signalTree, type ProcessIdentity } from './platform';

const POLL_MS = 100;

async function isGoneWithin(identity: ProcessIdentity, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (await isRunning(identity)) {
    if (Date.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/**
 * Ends a process and all that it started: SIGINT, which runs Python's `finally`; after the grace SIGTERM; at last
 * SIGKILL. Does nothing when the pid belongs to another process by now.
 */
export async function endTree(identity: ProcessIdentity, graceMs = 5000): Promise<void> {
  if (!(await isRunning(identity))) return;
  for (const signal of endingSignals) {
    await signalTree(identity.pid, signal);
    if (await isGoneWithin(identity, graceMs)) break;
  }
  // The leader is gone, but a helper that ignores gentle signals may have stayed in its group.
  await signalTree(identity.pid, 'SIGKILL');
}
