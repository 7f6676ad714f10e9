import { app, dialog, type BrowserWindow } from 'electron';

const DEADLINE_MS = 5000;
const answers = ['Quit, training continues', 'Stop training and quit', 'Cancel'];

export interface QuitSteps {
  readonly window: () => BrowserWindow | null;
  readonly isJobRunning: () => boolean;
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
    void leave(steps).then((isLeaving) => {
      isQuitting = isLeaving;
    });
  });
}

/** False when the person thought better of it. */
async function leave(steps: QuitSteps): Promise<boolean> {
  const wish = steps.isJobRunning() ? await ask(steps.window()) : 'leave';
  if (wish === 'stay') return false;
  const ending = (wish === 'stop' ? steps.stopJobs() : Promise.resolve()).then(steps.dispose);
  const deadline = new Promise((resolve) => setTimeout(resolve, DEADLINE_MS));
  await Promise.race([ending.catch(() => undefined), deadline]);
  app.exit(0);
  return true;
}

async function ask(window: BrowserWindow | null): Promise<'leave' | 'stop' | 'stay'> {
  const options = {
    type: 'question' as const,
    message: 'Training continues in the background.',
    detail:
      'The running job goes on without the window and is there again when you next open LoRA Atelier.',
    buttons: answers,
    defaultId: 0,
    cancelId: 2,
  };
  const { response } = await (window === null
    ? dialog.showMessageBox(options)
    : dialog.showMessageBox(window, options));
  return (['leave', 'stop', 'stay'] as const)[response] ?? 'stay';
}
