import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { MAX_LINE_BYTES } from '../../shared/protocol';
import { LineReader } from '../lib/line-reader';
import { bridgeArguments, type Locations } from '../lib/locations';
import type { Log } from './log';

export interface WorkerProcess {
  readonly send: (line: string) => void;
  /** Lets it end by itself: a worker whose input is closed leaves. */
  readonly close: () => void;
  readonly kill: () => void;
}

export interface WorkerListener {
  readonly onLine: (line: string) => void;
  /** Once, whether it could not be started or ended later. */
  readonly onEnd: (reason: { readonly started: boolean; readonly text: string }) => void;
}

/** A bridge that answers requests: one line of JSON in, one out. What it prints otherwise goes to the log. */
export function startWorkerProcess(
  locations: Locations,
  listener: WorkerListener,
  log: Log,
): WorkerProcess {
  const [command, args] = bridgeArguments(locations, 'serve');
  const child: ChildProcessWithoutNullStreams = spawn(command, args, {
    cwd: locations.root,
    windowsHide: true,
    env: locations.bridgeEnvironment,
  });
  const lines = new LineReader(MAX_LINE_BYTES);
  child.stdout.on('data', (chunk: Buffer) => lines.push(chunk).forEach(listener.onLine));
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => log.info(`worker: ${text.trimEnd()}`));
  // Writing to a worker that has just died; its end is told by `close`.
  child.stdin.on('error', () => undefined);

  let ended = false;
  const end = (started: boolean, text: string): void => {
    if (ended) return;
    ended = true;
    listener.onEnd({ started, text });
  };
  child.once('error', (error) => end(false, error.message));
  child.once('close', (code, signal) => end(true, signal ?? `exit code ${String(code)}`));
  return {
    send: (line) => child.stdin.write(`${line}\n`),
    close: () => child.stdin.end(),
    kill: () => child.kill('SIGKILL'),
  };
}
