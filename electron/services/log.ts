import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What services tell the log. */
export interface Log {
  readonly info: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly error: (text: string, cause?: unknown) => void;
}

const MAX_BYTES = 2 * 1024 * 1024;
const KEPT = 3;

/** A log file in `folder`, rotated by size: `main.log`, `main.1.log`, ... */
export function createFileLog(folder: string): Log {
  mkdirSync(folder, { recursive: true });
  const pathOf = (age: number): string =>
    join(folder, age === 0 ? 'main.log' : `main.${String(age)}.log`);

  const rotate = (): void => {
    for (let age = KEPT - 1; age >= 0; age -= 1) {
      try {
        renameSync(pathOf(age), pathOf(age + 1));
      } catch {
        // There is no log of that age yet.
      }
    }
  };

  // Written at once, so that the last line before a crash is there.
  const write = (level: string, text: string): void => {
    try {
      if ((statSync(pathOf(0), { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) rotate();
      appendFileSync(pathOf(0), `${new Date().toISOString()} ${level} ${text}\n`);
    } catch {
      // A log that cannot be written, on a full disk say, must not stop what is logged.
    }
  };

  return {
    info: (text) => write('info', text),
    warn: (text) => write('warn', text),
    error: (text, cause) =>
      write('error', cause === undefined ? text : `${text}: ${causeText(cause)}`),
  };
}

const causeText = (cause: unknown): string =>
  cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
