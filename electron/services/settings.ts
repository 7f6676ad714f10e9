import { readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { settingsSchema, type Settings, type SettingsPatch } from '../../shared/settings';
import { writeJsonAtomically } from '../lib/atomic-file';
import { isNotFound } from '../lib/file-problem';
import type { Log } from './log';
import { migrate } from './settings-migrations';

export interface SettingsOptions {
  readonly path: string;
  /** What a first start begins with. */
  readonly initial: () => Promise<Settings>;
  readonly log: Log;
}

/** The user's settings, in one file. Precious: a file that cannot be read is set aside under another name and said. */
export class SettingsService {
  #settings: Settings;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly path: string,
    settings: Settings,
    /** Where a file that could not be read was put; null when all was well. */
    readonly setAside: string | null,
    private readonly log: Log,
  ) {
    this.#settings = settings;
  }

  static async open({ path, initial, log }: SettingsOptions): Promise<SettingsService> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isNotFound(error)) return null;
      throw error;
    });
    if (text === null) return new SettingsService(path, await initial(), null, log);
    try {
      const settings = settingsSchema.parse(migrate(JSON.parse(text)));
      return new SettingsService(path, settings, null, log);
    } catch (error) {
      const time = new Date().toISOString().replace(/[:.]/gu, '-');
      const aside = join(dirname(path), `settings.broken-${time}.json`);
      await rename(path, aside);
      log.error(`The settings could not be read and are now ${aside}`, error);
      return new SettingsService(path, await initial(), aside, log);
    }
  }

  get(): Settings {
    return this.#settings;
  }

  /** Resolves when the change is on disk. */
  async update(patch: SettingsPatch): Promise<Settings> {
    const next = settingsSchema.parse({ ...this.#settings, ...patch });
    if (JSON.stringify(next) === JSON.stringify(this.#settings)) return next;
    this.#settings = next;
    const write = this.#writing.then(() => writeJsonAtomically(this.path, next));
    this.#writing = write.catch((error: unknown) =>
      this.log.error('The settings could not be written', error),
    );
    await write;
    return next;
  }

  /** Resolves when all changes are on disk. */
  flush(): Promise<void> {
    return this.#writing;
  }
}
