import type { JobStatus, JobSummary, JobView } from '../../../shared/job-view';
import type { EventOf } from '../../../shared/protocol';

export function statusWord(status: JobStatus): string {
  switch (status.kind) {
    case 'starting':
      return 'Starting';
    case 'running':
      return 'Running';
    case 'stopping':
      return 'Stopping';
    case 'pausing':
      return 'Pausing';
    case 'silent':
      return status.unresponsive ? 'Not responding' : 'Slow';
    case 'completed':
      return 'Finished';
    case 'stopped':
      return 'Stopped';
    case 'paused':
      return 'Paused';
    case 'failed':
      return 'Failed';
  }
}

type Phase = EventOf<'phase'>['phase'];

/** The phases of a training run in their order, as people call them. */
const trainingPhases = [
  { phases: ['starting', 'loading_model'], label: 'Load model' },
  { phases: ['caching_latents'], label: 'Cache images' },
  { phases: ['caching_captions'], label: 'Cache captions' },
  { phases: ['training'], label: 'Train' },
  { phases: ['saving'], label: 'Save' },
] as const satisfies readonly { phases: readonly Phase[]; label: string }[];

const isBetweenSteps = (phase: Phase | undefined): boolean =>
  phase === 'sampling' || phase === 'validating';

/** Whether it makes steps, with what it does between two of them: then it can do something else there too. */
export const isBetweenLosses = ({ phase }: Pick<JobView, 'phase'>): boolean =>
  phase?.phase === 'training' || isBetweenSteps(phase?.phase);

/** Whether a run that has ended can be gone on with in its own folder. */
export function canGoOn({ kind, status }: Pick<JobSummary, 'kind' | 'status'>): boolean {
  if (kind !== 'train') return false;
  if (status.kind === 'failed') return status.problem.code !== 'protocol_version';
  return status.kind === 'paused' || status.kind === 'stopped';
}

/** It is validated and drawn while it trains, again and again; the last time once the LoRA is saved. */
function phaseOf({ phase, lastStep }: JobView): Phase {
  if (!isBetweenSteps(phase?.phase)) return phase?.phase ?? 'starting';
  return lastStep !== null && lastStep.step >= lastStep.total ? 'saving' : 'training';
}

export interface PhaseMark {
  readonly label: string;
  readonly state: 'done' | 'current' | 'waiting';
  /** `3 of 10`, while it is counted. */
  readonly count: string | null;
}

/** Which of a round of samples is being drawn, from 1. */
const sampleOf = ({ done, total }: EventOf<'phase'>): string =>
  `sample ${Math.min(done + 1, total)} of ${total}`;

/** `Drawing sample 2 of 3`; null while none is drawn. */
export const samplingText = ({ phase }: Pick<JobView, 'phase'>): string | null =>
  phase?.phase === 'sampling' ? `Drawing ${sampleOf(phase)}` : null;

/** What a training does between two steps, while it does: `sample 2 of 3`, `validation`. */
function betweenSteps({ phase }: Pick<JobView, 'phase'>): string | null {
  if (phase?.phase === 'sampling') return sampleOf(phase);
  return phase?.phase === 'validating' ? 'validation' : null;
}

/** `Drawing sample 2 of 3` or `Computing the validation loss`; null while it does neither. */
export const betweenStepsText = (run: Pick<JobView, 'phase'>): string | null =>
  run.phase?.phase === 'validating' ? 'Computing the validation loss' : samplingText(run);

/** How far it is, in the unit of its phase; `total` is 0 where the end is not known. Samples are no progress. */
export function progressOf({
  phase,
  lastStep,
  plan,
}: Pick<JobView, 'phase' | 'lastStep' | 'plan'>): {
  readonly done: number;
  readonly total: number;
} {
  const name = phase?.phase;
  const isBetween = isBetweenSteps(name);
  if (lastStep !== null && (name === 'training' || isBetween))
    return { done: lastStep.step, total: lastStep.total };
  if (isBetween) return { done: 0, total: plan?.totalSteps ?? 0 };
  return { done: phase?.done ?? 0, total: phase?.total ?? 0 };
}

export function phaseMarks(run: JobView): readonly PhaseMark[] {
  const { status } = run;
  const current = trainingPhases.findIndex(({ phases }) =>
    (phases as readonly string[]).includes(phaseOf(run)),
  );
  const finished = status.kind === 'completed' || status.kind === 'stopped';
  return trainingPhases.map(({ label }, index) => {
    if (finished || index < current) return { label, state: 'done', count: null };
    if (index > current) return { label, state: 'waiting', count: null };
    const { done, total } = progressOf(run);
    const counted = total > 0 ? `${done} of ${total}` : null;
    return { label, state: 'current', count: betweenSteps(run) ?? counted };
  });
}
