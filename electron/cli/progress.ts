import type { EventOf, JobEvent } from '../../shared/protocol';
import { duration, printProblem } from './print';

const BAR_WIDTH = 30;
const LINE_INTERVAL_MS = 1000;
/** The first steps are printed one by one: they tell how fast it goes. */
const FIRST_STEPS = 10;

const phaseNames: Record<EventOf<'phase'>['phase'], string> = {
  starting: 'Starting',
  loading_model: 'Loading the model',
  caching_latents: 'Caching latents',
  caching_captions: 'Caching captions',
  training: 'Training',
  validating: 'Validating',
  sampling: 'Drawing samples',
  captioning: 'Captioning',
  saving: 'Saving',
};

/** Phases whose other events tell how far they are. */
const hasOwnLines: ReadonlySet<EventOf<'phase'>['phase']> = new Set([
  'training',
  'validating',
  'sampling',
  'captioning',
]);

/** Shows a job's events in a terminal: one line that moves, or plain lines where nobody looks. */
export class ProgressPrinter {
  #phase = '';
  #lastLine = 0;
  #isBarShown = false;

  constructor(private readonly out: NodeJS.WriteStream) {}

  show(events: readonly JobEvent[]): void {
    for (const event of events) this.#showOne(event);
  }

  /** Ends the moving line. */
  finish(): void {
    if (this.#isBarShown) this.out.write('\n');
    this.#isBarShown = false;
  }

  #showOne(event: JobEvent): void {
    switch (event.type) {
      case 'phase':
        this.#showPhase(event);
        break;
      case 'step':
        this.#progress(event.step, event.total, stepText(event), event.step <= FIRST_STEPS);
        break;
      case 'validation':
        this.#line(validationText(event));
        break;
      case 'caption':
        this.#line(captionText(event));
        break;
      case 'checkpoint':
        this.#line(`Saved ${event.path}`);
        break;
      case 'checkpointRemoved':
        this.#line(`Deleted ${event.path}`);
        break;
      case 'state':
        this.#line(`Saved the state of step ${String(event.step)}: ${event.path}`);
        break;
      case 'resumed':
        this.#showResumed(event);
        break;
      case 'sample':
        this.#line(`Sample ${String(event.index + 1)}: ${event.path}`);
        break;
      case 'warning':
        this.finish();
        printProblem('Warning', event.problem);
        break;
      case 'log':
        if (event.level !== 'info') this.#line(event.text);
        break;
      case 'hello':
        this.#line(`On ${event.device.name} (${event.device.kind})`);
        break;
      case 'plan':
      case 'heartbeat':
      case 'failed':
      case 'finished':
        break;
    }
  }

  #showResumed({ step, epoch, path, changes }: EventOf<'resumed'>): void {
    this.#line(`Going on after step ${String(step)} (epoch ${String(epoch)}), from ${path}`);
    for (const change of changes) this.#line(`  Changed since: ${change}`);
  }

  #showPhase({ phase, done, total }: EventOf<'phase'>): void {
    if (phase !== this.#phase) this.#line(phaseNames[phase]);
    this.#phase = phase;
    if (total > 0 && !hasOwnLines.has(phase)) this.#progress(done, total, phaseNames[phase], false);
  }

  #progress(done: number, total: number, text: string, always: boolean): void {
    const counted = `${String(done)}/${String(total)}`;
    if (this.out.isTTY) {
      const filled = Math.round((BAR_WIDTH * done) / total);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
      this.out.write(`\r\u001b[K${bar} ${counted} ${text}`);
      this.#isBarShown = true;
      return;
    }
    const now = Date.now();
    if (!always && done < total && now - this.#lastLine < LINE_INTERVAL_MS) return;
    this.#lastLine = now;
    this.#line(`${counted} ${text}`);
  }

  #line(text: string): void {
    this.finish();
    this.out.write(`${text}\n`);
  }
}

const lossText = (loss: number | null): string =>
  loss === null ? 'not a number' : loss.toFixed(4);

const validationText = ({ step, loss }: EventOf<'validation'>): string =>
  `Validation loss after step ${String(step)}: ${lossText(loss)}`;

function stepText(step: EventOf<'step'>): string {
  const { epoch, epochs, loss, averageLoss, secondsPerStep, imagesPerSecond, etaSeconds } = step;
  return [
    `epoch ${String(epoch)}/${String(epochs)}`,
    `loss ${lossText(loss)}`,
    ...(averageLoss === null ? [] : [`average ${lossText(averageLoss)}`]),
    `${secondsPerStep.toFixed(2)} s/step`,
    ...(imagesPerSecond > 0 ? [`${imagesPerSecond.toFixed(2)} images/s`] : []),
    `${duration(etaSeconds)} left`,
  ].join('  ');
}

function captionText({
  image,
  outcome,
  text,
  reason,
  candidates,
  done,
  total,
}: EventOf<'caption'>): string {
  const name = image.split(/[/\\]/u).at(-1) ?? image;
  const head = `${String(done)}/${String(total)} ${name}:`;
  if (outcome === 'offered') return [head, ...candidates].join('\n  ');
  return `${head} ${outcome === 'written' ? text : `${outcome}, ${reason}`}`;
}
