import type { EventOf, Job, JobEvent, JobKind, Plan } from './protocol';
import type { Problem } from './result';

/** What is known of a job, derived from its events: main keeps one for late windows, the renderer one for its screen. */

export type JobStatus =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  /** Asked to stop; it ends at its next safe point. */
  | { readonly kind: 'stopping' }
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
  readonly learningRate: number;
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
  /** How many prompts it draws pictures of while it trains. */
  readonly samplePrompts: number;
  readonly status: JobStatus;
  readonly phase: EventOf<'phase'> | null;
  readonly hello: EventOf<'hello'> | null;
  readonly plan: Plan | null;
  readonly lastStep: EventOf<'step'> | null;
  readonly points: readonly LossPoint[];
  /** The losses on the pictures that were kept back. */
  readonly validations: readonly ValidationPoint[];
  readonly checkpoints: readonly EventOf<'checkpoint'>[];
  /** Pictures drawn while it trained, in the order in which they were. */
  readonly samples: readonly EventOf<'sample'>[];
  readonly lastCaption: EventOf<'caption'> | null;
  /** Pictures that could not be captioned. */
  readonly captionFailures: readonly EventOf<'caption'>[];
  readonly warnings: readonly Problem[];
  readonly outputs: readonly string[];
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
  samples: [],
  lastCaption: null,
  captionFailures: [],
  warnings: [],
  outputs: [],
  lastEventTime: 0,
  lastSeq: 0,
});

/** The view after these events. Events that it has already seen (by `seq`) change nothing. */
export function applyEvents(view: JobView, events: readonly JobEvent[]): JobView {
  const fresh = events.filter((event) => event.seq > view.lastSeq);
  const last = fresh.at(-1);
  if (last === undefined) return view;
  const points = fresh.filter((event) => event.type === 'step').map(toPoint);
  const validations = fresh
    .filter((event) => event.type === 'validation')
    .map(({ step, loss }) => ({ step, loss }));
  const samples = fresh.filter((event) => event.type === 'sample');
  const next = fresh.reduce(applyEvent, view);
  return {
    ...next,
    points: joined(view.points, points),
    validations: joined(view.validations, validations),
    samples: joined(view.samples, samples),
    lastEventTime: last.time,
    lastSeq: last.seq,
  };
}

/** The very same list where nothing was added, so that nothing is drawn anew. */
const joined = <T>(known: readonly T[], added: readonly T[]): readonly T[] =>
  added.length === 0 ? known : [...known, ...added];

const toPoint = ({ step, loss, learningRate }: EventOf<'step'>): LossPoint => ({
  step,
  loss,
  learningRate,
});

function applyEvent(view: JobView, event: JobEvent): JobView {
  switch (event.type) {
    case 'hello':
      return { ...view, hello: event, status: { kind: 'running' } };
    case 'phase':
      return { ...view, phase: event };
    case 'plan':
      return { ...view, plan: event.plan };
    case 'step':
      return { ...view, lastStep: event };
    case 'checkpoint':
      return { ...view, checkpoints: [...view.checkpoints, event] };
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
    case 'checkpointRemoved':
    case 'state':
    case 'resumed':
    case 'sample':
    case 'validation':
    case 'heartbeat':
    case 'log':
      return view;
  }
}
