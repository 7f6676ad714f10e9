import type { EventOf, Job, JobEvent, JobKind, Plan } from './protocol';
import type { Problem } from './result';

/** What is known of a job, derived from its events: main keeps one for late windows, the renderer one for its screen. */

export type JobStatus =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  /** Asked to stop; it ends at its next safe point. */
  | { readonly kind: 'stopping' }
  /** Asked to pause; it ends at its next safe point, to go on later. */
  | { readonly kind: 'pausing' }
  /** Runs, but its last sign of life is more than 10 s (slow) or 30 s (unresponsive) old. */
  | { readonly kind: 'silent'; readonly seconds: number; readonly unresponsive: boolean }
  | { readonly kind: 'completed' }
  | { readonly kind: 'stopped' }
  /** Ended so that it can go on later. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'failed'; readonly problem: Problem };

export const isOver = (status: JobStatus): boolean =>
  status.kind === 'completed' ||
  status.kind === 'stopped' ||
  status.kind === 'paused' ||
  status.kind === 'failed';

export interface LossPoint {
  readonly step: number;
  /** Null when it was not a finite number. */
  readonly loss: number | null;
  /** Mean over the last epoch's worth of steps; null where it is not known. */
  readonly averageLoss: number | null;
  readonly learningRate: number;
}

/** From where a run can go on. */
export interface SavedState extends Pick<EventOf<'state'>, 'path' | 'step' | 'epoch' | 'time'> {
  /** Null where only its place is known: the run went on from it. */
  readonly bytes: number | null;
}

export type ValidationPoint = Pick<EventOf<'validation'>, 'step' | 'loss'>;

export interface JobView {
  readonly id: string;
  readonly kind: JobKind;
  readonly name: string;
  /** The job's folder. */
  readonly folder: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** How many prompts it draws pictures of while it trains; a file of prompts counts as one, whatever is in it. */
  readonly samplePrompts: number;
  readonly status: JobStatus;
  readonly phase: EventOf<'phase'> | null;
  readonly hello: EventOf<'hello'> | null;
  readonly plan: Plan | null;
  readonly lastStep: EventOf<'step'> | null;
  readonly points: readonly LossPoint[];
  /** The losses on the pictures that were kept back. */
  readonly validations: readonly ValidationPoint[];
  /** Those that are still there. */
  readonly checkpoints: readonly EventOf<'checkpoint'>[];
  /** The newest one; null before the first. */
  readonly state: SavedState | null;
  /** Where it last went on, and what had changed; null for a run that began at its beginning. */
  readonly resumed: EventOf<'resumed'> | null;
  /** Pictures drawn while it trained, in the order in which they were. */
  readonly samples: readonly EventOf<'sample'>[];
  readonly lastCaption: EventOf<'caption'> | null;
  /** Pictures that could not be captioned. */
  readonly captionFailures: readonly EventOf<'caption'>[];
  readonly warnings: readonly Problem[];
  readonly outputs: readonly string[];
  /** `time` of the newest `hello`: a job that is resumed says it again. 0 before the first. */
  readonly startedAt: number;
  /** Seconds that it ran before that. */
  readonly secondsBefore: number;
  /** `time` of the newest event, seconds since 1970; 0 before the first. */
  readonly lastEventTime: number;
  /** `seq` of the newest event, so that a late window can tell what it has already seen. */
  readonly lastSeq: number;
}

/** A job for a list: all but its curves and its pictures. */
export type JobSummary = Omit<JobView, 'points' | 'validations' | 'samples'>;

export const summaryOf = ({
  points: _,
  validations: __,
  samples: ___,
  ...summary
}: JobView): JobSummary => summary;

/** What a list needs of a job, whatever version of the app wrote its config. */
export type JobHead = Pick<Job, 'id' | 'kind' | 'name' | 'createdAt'> &
  Pick<JobView, 'samplePrompts'>;

export const newJobView = (job: JobHead, folder: string): JobView => ({
  id: job.id,
  kind: job.kind,
  name: job.name,
  folder,
  createdAt: job.createdAt,
  samplePrompts: job.samplePrompts,
  status: { kind: 'starting' },
  phase: null,
  hello: null,
  plan: null,
  lastStep: null,
  points: [],
  validations: [],
  checkpoints: [],
  state: null,
  resumed: null,
  samples: [],
  lastCaption: null,
  captionFailures: [],
  warnings: [],
  outputs: [],
  startedAt: 0,
  secondsBefore: 0,
  lastEventTime: 0,
  lastSeq: 0,
});

/** Seconds that it ran, pauses left out. */
export const secondsRun = ({ secondsBefore, startedAt, lastEventTime }: JobView): number =>
  secondsBefore + (startedAt === 0 ? 0 : Math.max(0, lastEventTime - startedAt));

/** The view after these events. Events that it has already seen (by `seq`) change nothing. */
export function applyEvents(view: JobView, events: readonly JobEvent[]): JobView {
  const fresh = events.filter((event) => event.seq > view.lastSeq);
  return stretches(fresh, view.points.at(-1)?.step ?? 0).reduce(applyStretch, view);
}

interface Stretch {
  /** What was told of later steps is void; null where all of it stands. */
  readonly goesOnFrom: number | null;
  readonly events: readonly JobEvent[];
}

/** Cut where a job is begun, and where it goes on from a state or begins again because it had none. */
function stretches(events: readonly JobEvent[], lastStep: number): readonly Stretch[] {
  const cut: { goesOnFrom: number | null; events: JobEvent[] }[] = [];
  let told = lastStep;
  for (const event of events) {
    const goesOnFrom = goingOn(event, told);
    if (cut.length === 0 || goesOnFrom !== null || event.type === 'hello')
      cut.push({ goesOnFrom, events: [] });
    cut.at(-1)?.events.push(event);
    if (event.type === 'step' || event.type === 'resumed') told = event.step;
  }
  return cut;
}

function goingOn(event: JobEvent, lastStep: number): number | null {
  if (event.type === 'resumed') return event.step;
  return event.type === 'step' && event.step <= lastStep ? event.step - 1 : null;
}

function applyStretch(view: JobView, { goesOnFrom, events }: Stretch): JobView {
  const base = goesOnFrom === null ? view : upTo(view, goesOnFrom);
  const last = events.at(-1);
  if (last === undefined) return base;
  const points = events.filter((event) => event.type === 'step').map(toPoint);
  const validations = events
    .filter((event) => event.type === 'validation')
    .map(({ step, loss }) => ({ step, loss }));
  const samples = events.filter((event) => event.type === 'sample');
  const next = events.reduce(applyEvent, base);
  return {
    ...next,
    points: joined(base.points, points),
    validations: joined(base.validations, validations),
    samples: joined(base.samples, samples),
    lastEventTime: last.time,
    lastSeq: last.seq,
  };
}

/** The view without what was told of steps after this one. */
function upTo(view: JobView, step: number): JobView {
  const kept = <T extends { readonly step: number }>(list: readonly T[]) =>
    list.filter((each) => each.step <= step);
  return {
    ...view,
    points: kept(view.points),
    validations: kept(view.validations),
    samples: kept(view.samples),
    checkpoints: kept(view.checkpoints),
    lastStep: stepAt(view, step),
  };
}

/** Where it stood then, as far as it is known: its speed and its memory are those of the newest step. */
function stepAt({ lastStep, points }: JobView, step: number): JobView['lastStep'] {
  if (lastStep === null || lastStep.step <= step) return lastStep;
  const point = points.find((each) => each.step === step);
  if (point === undefined) return null;
  const { total, epochs, secondsPerStep } = lastStep;
  return {
    ...lastStep,
    ...point,
    epoch: Math.max(1, Math.ceil((step * epochs) / total)),
    etaSeconds: secondsPerStep * (total - step),
  };
}

/** The very same list where nothing was added, so that nothing is drawn anew. */
const joined = <T>(known: readonly T[], added: readonly T[]): readonly T[] =>
  added.length === 0 ? known : [...known, ...added];

const toPoint = ({ step, loss, averageLoss, learningRate }: EventOf<'step'>): LossPoint => ({
  step,
  loss,
  averageLoss,
  learningRate,
});

/** A job that is resumed says hello again: how it ended before is no longer so. */
const beginning = (view: JobView, hello: EventOf<'hello'>): JobView => ({
  ...view,
  hello,
  status: { kind: 'running' },
  phase: null,
  warnings: [],
  outputs: [],
  secondsBefore: secondsRun(view),
  startedAt: hello.time,
});

function applyEvent(view: JobView, event: JobEvent): JobView {
  switch (event.type) {
    case 'hello':
      return beginning(view, event);
    case 'phase':
      return { ...view, phase: event };
    case 'plan':
      return { ...view, plan: event.plan };
    case 'step':
      return { ...view, lastStep: event };
    case 'checkpoint':
      return { ...view, checkpoints: [...withoutFile(view, event.path), event] };
    case 'checkpointRemoved':
      return { ...view, checkpoints: withoutFile(view, event.path) };
    case 'state':
      return { ...view, state: event };
    case 'resumed':
      return { ...view, resumed: event, state: stateOf(view, event) };
    case 'caption':
      return {
        ...view,
        lastCaption: event,
        captionFailures:
          event.outcome === 'failed' ? [...view.captionFailures, event] : view.captionFailures,
      };
    case 'warning':
      return { ...view, warnings: [...view.warnings, event.problem] };
    case 'failed':
      return { ...view, status: { kind: 'failed', problem: event.problem } };
    case 'finished':
      return { ...view, status: { kind: event.outcome }, outputs: event.outputs };
    case 'sample':
    case 'validation':
    case 'heartbeat':
    case 'log':
      return view;
  }
}

/** A file that is saved again is one file. */
const withoutFile = ({ checkpoints }: JobView, path: string): JobView['checkpoints'] =>
  checkpoints.filter((checkpoint) => checkpoint.path !== path);

/** What it went on from is the newest state that is whole, whatever was told of newer ones. */
const stateOf = (
  { state }: JobView,
  { path, step, epoch, time }: EventOf<'resumed'>,
): SavedState => (state?.path === path ? state : { path, step, epoch, time, bytes: null });
