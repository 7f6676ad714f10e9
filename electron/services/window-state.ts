import { screen, type BrowserWindow } from 'electron';
import { z } from 'zod';
import { DisposableFile } from './disposable-file';
import type { Log } from './log';

const stateSchema = z.object({
  bounds: z.object({ x: z.int(), y: z.int(), width: z.int(), height: z.int() }).nullable(),
  isMaximized: z.boolean(),
});
type WindowState = z.infer<typeof stateSchema>;

const SAVE_DELAY_MS = 500;

/** Where the window was. Bounds that no screen shows any more are forgotten. */
export class WindowStateStore {
  readonly #file: DisposableFile<WindowState>;
  #save: (() => Promise<void>) | null = null;

  constructor(path: string, log: Log) {
    this.#file = new DisposableFile(path, stateSchema, { bounds: null, isMaximized: false }, log);
  }

  async read(): Promise<WindowState> {
    const state = await this.#file.read();
    return state.bounds !== null && isVisible(state.bounds) ? state : { ...state, bounds: null };
  }

  follow(window: BrowserWindow): void {
    let timer: NodeJS.Timeout | null = null;
    let state: WindowState = {
      bounds: window.getNormalBounds(),
      isMaximized: window.isMaximized(),
    };
    this.#save = () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      return this.#file.write(state);
    };
    const note = (): void => {
      state = { bounds: window.getNormalBounds(), isMaximized: window.isMaximized() };
      timer ??= setTimeout(() => void this.#save?.(), SAVE_DELAY_MS);
    };
    for (const event of ['resize', 'move', 'maximize', 'unmaximize'] as const)
      window.on(event as 'resize', note);
  }

  /** Writes what is not on disk yet. */
  async flush(): Promise<void> {
    await this.#save?.();
  }
}

function isVisible(bounds: NonNullable<WindowState['bounds']>): boolean {
  const { workArea } = screen.getDisplayMatching(bounds);
  const MARGIN = 50;
  return (
    bounds.x + MARGIN < workArea.x + workArea.width &&
    bounds.x + bounds.width > workArea.x + MARGIN &&
    bounds.y >= workArea.y - MARGIN &&
    bounds.y + MARGIN < workArea.y + workArea.height
  );
}
