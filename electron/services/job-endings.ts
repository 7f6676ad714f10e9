import type { JobStatus } from '../../shared/job-view';
import type { JobKind } from '../../shared/protocol';
import { hasMarker, readConsole } from './job-folder';
import type { Exit } from './job-process';

const LAST_LINES = 8;

const nameOf: Record<JobKind, string> = { train: 'Training', caption: 'Captioning' };

/** The status of a job whose process ended without writing an ending. An exit code of 0 does not make it a success. */
export async function vanished(folder: string, kind: JobKind, exit: Exit): Promise<JobStatus> {
  if (await hasMarker(folder, 'force')) return { kind: 'stopped' };
  const lines = await lastConsoleLines(folder);
  return {
    kind: 'failed',
    problem: {
      code: 'vanished',
      message: `${nameOf[kind]} ended without saying why${exitText(exit)}.`,
      hint: lines === '' ? hintOf(exit) : `${hintOf(exit)} The console’s last lines:\n${lines}`,
    },
  };
}

function exitText({ code, signal }: Exit): string {
  if (signal !== null) return ` (${signal})`;
  return code === null ? '' : ` (exit code ${String(code)})`;
}

const hintOf = ({ signal }: Exit): string =>
  signal === 'SIGKILL'
    ? 'Somebody ended its process; most often the system does, when memory runs out.'
    : 'What was saved before is still there.';

async function lastConsoleLines(folder: string): Promise<string> {
  const { text } = await readConsole(folder).catch(() => ({ text: '' }));
  return text.trim().split('\n').slice(-LAST_LINES).join('\n');
}
