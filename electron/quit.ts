import { app, dialog, type BrowserWindow } from 'electron';
import type { JobKind } from '../shared/protocol';
import type { EndingWish } from './services/watched-job';

type Answer = 'leave' | EndingWish | 'stay';

const DEADLINE_MS = 5000;

export interface QuitSteps {
  readonly window: () => BrowserWindow | null;
  /** What kinds of jobs run. */
  readonly running: () => readonly JobKind[];
  /** Has the page save what was typed last. */
  readonly savePage: () => Promise<void>;
  /** Asks what runs to end; it saves and ends by itself. A training can be asked to pause instead. */
  readonly endJobs: (wish: EndingWish) => Promise<void>;
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
  const ending = finish(steps, wish === 'leave' ? null : wish);
  const deadline = new Promise((resolve) => setTimeout(resolve, DEADLINE_MS));
  await Promise.race([ending.catch(() => undefined), deadline]);
  app.exit(0);
}

async function finish(steps: QuitSteps, wish: EndingWish | null): Promise<void> {
  await steps.savePage();
  if (wish !== null) await steps.endJobs(wish);
  await steps.dispose();
}

const names: Record<JobKind, string> = { train: 'training', caption: 'captioning' };

/** The buttons of the question, from left to right, and what each answers. */
function choicesFor(running: readonly JobKind[], what: string, goOn: string) {
  const choices: { readonly label: string; readonly answer: Answer }[] = [
    { label: `Quit, ${what} ${goOn}`, answer: 'leave' },
    { label: `Stop ${what} and quit`, answer: 'stop' },
    { label: 'Cancel', answer: 'stay' },
  ];
  const others = running.includes('caption') ? ', stop captioning' : '';
  if (running.includes('train'))
    choices.splice(1, 0, { label: `Pause training${others} and quit`, answer: 'pause' });
  return choices;
}

async function ask(window: BrowserWindow | null, running: readonly JobKind[]): Promise<Answer> {
  const what = running.map((kind) => names[kind]).join(' and ');
  const goOn = running.length > 1 ? 'go on' : 'goes on';
  const choices = choicesFor(running, what, goOn);
  const pausing = running.includes('train')
    ? ' Pausing keeps all that training needs to go on later.'
    : '';
  const options = {
    type: 'question' as const,
    message: `Quit while ${what} ${goOn}?`,
    detail: `Without the window ${what} ${goOn} in the background, to be found again when you next open LoRA Atelier.${pausing} Stopping saves what was done so far.`,
    buttons: choices.map(({ label }) => label),
    defaultId: 0,
    cancelId: choices.length - 1,
  };
  const { response } = await (window === null
    ? dialog.showMessageBox(options)
    : dialog.showMessageBox(window, options));
  return choices[response]?.answer ?? 'stay';
}
