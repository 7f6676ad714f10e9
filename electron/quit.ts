import { app, dialog, type BrowserWindow } from 'electron';
import type { JobKind } from '../shared/protocol';

const DEADLINE_MS = 5000;

export interface QuitSteps {
  readonly window: () => BrowserWindow | null;
  /** What kinds of jobs run. */
  readonly running: () => readonly JobKind[];
  /** Has the page save what was typed last. */
  readonly savePage: () => Promise<void>;
  /** Asks what runs to end; it saves and ends by itself. */
  readonly stopJobs: () => Promise<void>;
  /** Saves and lets go of what the app holds. */
  readonly dispose: () => Promise<void>;
}

/** Quits in order: asks while something runs, then disposes with a deadline, then exits. */
export function quitInOrder(steps: QuitSteps): void {
  let isQuitting = false;
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (isQuitting) return;
    isQuitting = true;
    // Once more if the person thought better of it.
    void leave(steps).finally(() => {
      isQuitting = false;
    });
  });
}

async function leave(steps: QuitSteps): Promise<void> {
  const running = steps.running();
  const wish = running.length > 0 ? await ask(steps.window(), running) : 'leave';
  if (wish === 'stay') return;
  const ending = finish(steps, wish === 'stop');
  const deadline = new Promise((resolve) => setTimeout(resolve, DEADLINE_MS));
  await Promise.race([ending.catch(() => undefined), deadline]);
  app.exit(0);
}

async function finish(steps: QuitSteps, isStopping: boolean): Promise<void> {
  await steps.savePage();
  if (isStopping) await steps.stopJobs();
  await steps.dispose();
}

const names: Record<JobKind, string> = { train: 'training', caption: 'captioning' };

async function ask(
  window: BrowserWindow | null,
  running: readonly JobKind[],
): Promise<'leave' | 'stop' | 'stay'> {
  const what = running.map((kind) => names[kind]).join(' and ');
  const goOn = running.length > 1 ? 'go on' : 'goes on';
  const options = {
    type: 'question' as const,
    message: `Quit while ${what} ${goOn}?`,
    detail: `Without the window ${what} ${goOn} in the background, to be found again when you next open LoRA Atelier. Stopping saves what was done so far.`,
    buttons: [`Quit, ${what} ${goOn}`, `Stop ${what} and quit`, 'Cancel'],
    defaultId: 0,
    cancelId: 2,
  };
  const { response } = await (window === null
    ? dialog.showMessageBox(options)
    : dialog.showMessageBox(window, options));
  return (['leave', 'stop', 'stay'] as const)[response] ?? 'stay';
}
