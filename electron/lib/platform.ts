import { execFile } from 'node:child_process';
import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The only file that asks which system it runs on. */

const run = promisify(execFile);
const isWindows = process.platform === 'win32';
const isLinux = process.platform === 'linux';
export const isMac = process.platform === 'darwin';

/** The interpreter of a virtual environment. */
export const pythonOf = (environment: string): string =>
  isWindows ? join(environment, 'Scripts', 'python.exe') : join(environment, 'bin', 'python');

/** Bytes that this user may still write to the disk that holds `path`, which must exist. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/**
 * When a process was started, as its system tells it: for equality only. Null when there is no such process, or only
 * its zombie.
 */
export async function processStartTime(pid: number): Promise<string | null> {
  try {
    if (isLinux) return startTimeInStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
    if (isWindows) return (await run('powershell', windowsStartTime(pid))).stdout.trim() || null;
    const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], plainPs);
    const [state = '', ...started] = stdout.trim().split(/\s+/u);
    return state === '' || state.startsWith('Z') ? null : started.join(' ');
  } catch {
    return null;
  }
}

/** ps writes dates in the user's language and time zone, which may be others when the app is opened again. */
const plainPs = { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } };

const windowsStartTime = (pid: number): readonly string[] => [
  '-NoProfile',
  '-NonInteractive',
  '-Command',
  `(Get-Process -Id ${pid} -ErrorAction Stop).StartTime.ToFileTimeUtc()`,
];

/** Field 22 of proc(5)'s `stat`. The command name before it may hold blanks and brackets. */
export function startTimeInStat(stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  return state === 'Z' || state === 'X' ? null : (fields[19] ?? null);
}

export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** Whether exactly this process still runs: a pid alone may belong to another one by now. */
export async function isRunning({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  return pidExists(pid) && (await processStartTime(pid)) === startTime;
}

/** How often a process that is not our child is looked at. On Windows each look starts a PowerShell. */
export const watchIntervalMs = isWindows ? 10_000 : 1000;

function pidExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGKILL';

/** Windows knows no gentle signals: there the whole tree ends at once. */
export const endingSignals: readonly Signal[] = isWindows
  ? ['SIGKILL']
  : ['SIGINT', 'SIGTERM', 'SIGKILL'];

/** Signals a process and all that it started. One that has gone already is not an error. */
export async function signalTree(pid: number, signal: Signal): Promise<void> {
  try {
    if (isWindows) await run('taskkill', ['/PID', String(pid), '/T', '/F']);
    else process.kill(-pid, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

const taskkillNotFound = 128;

/** macOS answers EPERM for a group of which only zombies are left. */
const isGone = (error: unknown): boolean =>
  hasCode(error, 'ESRCH') || hasCode(error, taskkillNotFound) || (isMac && hasCode(error, 'EPERM'));

const hasCode = (error: unknown, code: string | number): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
