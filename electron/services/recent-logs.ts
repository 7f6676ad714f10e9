import { z } from 'zod';
import { DisposableFile } from './disposable-file';
import type { Log } from './log';

const MAX_DIRS = 20;

/** The logging directories of the last jobs: where the app looks for jobs when it starts. */
export interface RecentLogs {
  readonly list: () => Promise<readonly string[]>;
  readonly remember: (loggingDir: string) => Promise<void>;
}

export function createRecentLogs(path: string, log: Log): RecentLogs {
  const file = new DisposableFile(path, z.array(z.string()), [], log);
  return {
    list: () => file.read(),
    remember: async (loggingDir) => {
      const others = (await file.read()).filter((dir) => dir !== loggingDir);
      await file.write([loggingDir, ...others].slice(0, MAX_DIRS));
    },
  };
}
