import type { Log } from '../../electron/services/log';

export interface RecordingLog extends Log {
  readonly lines: string[];
}

/** A log that only remembers. */
export function recordingLog(): RecordingLog {
  const lines: string[] = [];
  const add = (text: string): void => void lines.push(text);
  return { lines, info: add, warn: add, error: add };
}
