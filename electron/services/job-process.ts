import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Proc } from '../../shared/protocol';
import { ProblemError } from '../../shared/result';
import { bridgeArguments, pythonMissing, type Locations } from '../lib/locations';
import { isRunning, processStartTime, watchIntervalMs } from '../lib/platform';
import { endTree } from '../lib/process-tree';
import { consoleFile, writeProc } from './job-folder';

/** How a process ended; both null when it was not our child and its ending could only be noticed. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface RunningJob {
  readonly proc: Proc;
  readonly ended: Promise<Exit>;
}

/**
 * Starts the bridge on a job's folder. The child is detached and writes to files only, so that it outlives the app.
 *
 * @throws ProblemError `python_missing`, `job_not_started`
 */
export async function startProcess(
  locations: Locations,
  folder: string,
  appVersion: string,
): Promise<RunningJob> {
  const [command, args] = bridgeArguments(locations, 'job', folder);
  const output = await open(consoleFile(folder), 'a');
  try {
    const child = spawn(command, args, {
      cwd: folder,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', output.fd, output.fd],
      env: locations.bridgeEnvironment,
    });
    const ended = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', () => reject(pythonMissing(command)));
    });
    child.unref();
    const proc = await identify(child.pid, [command, ...args], appVersion);
    await writeProc(folder, proc).catch(async (error: unknown) => {
      await endTree(proc);
      throw error;
    });
    return { proc, ended };
  } finally {
    await output.close();
  }
}

async function identify(
  pid: number | undefined,
  command: readonly string[],
  appVersion: string,
): Promise<Proc> {
  if (pid === undefined)
    throw new ProblemError(
      'job_not_started',
      'The system gave the job no process.',
      'Try again; the log file has the details.',
    );
  // A child that died at once has no start time any more; its ending is told by its exit.
  return { pid, startTime: (await processStartTime(pid)) ?? '', command: [...command], appVersion };
}

/** Takes up a process that another run of the app started; null when it has ended. */
export async function attachProcess(proc: Proc): Promise<RunningJob | null> {
  if (!(await isRunning(proc))) return null;
  return { proc, ended: waitForEnd(proc) };
}

async function waitForEnd(proc: Proc): Promise<Exit> {
  while (await isRunning(proc)) await sleep(watchIntervalMs, undefined, { ref: false });
  return { code: null, signal: null };
}
