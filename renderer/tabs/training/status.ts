import type { JobStatus, JobView } from '../../../shared/job-view';
import type { EventOf } from '../../../shared/protocol';

export function statusWord(status: JobStatus): string {
  switch (status.kind) {
    case 'starting':
      return 'Starting';
    case 'running':
      return 'Running';
    case 'stopping':
      return 'Stopping';
    case 'silent':
      return status.unresponsive ? 'Not responding' : 'Slow';
    case 'completed':
      return 'Finished';
    case 'stopped':
      return 'Stopped';
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

export interface PhaseMark {
  readonly label: string;
  readonly state: 'done' | 'current' | 'waiting';
  /** `3 of 10`, while it is counted. */
  readonly count: string | null;
}

export function phaseMarks({ phase, status, lastStep }: JobView): readonly PhaseMark[] {
  const current = trainingPhases.findIndex(({ phases }) =>
    (phases as readonly string[]).includes(phase?.phase ?? 'starting'),
  );
  const finished = status.kind === 'completed' || status.kind === 'stopped';
  return trainingPhases.map(({ label }, index) => {
    if (finished || index < current) return { label, state: 'done', count: null };
    if (index > current) return { label, state: 'waiting', count: null };
    const counted = label === 'Train' ? lastStep : null;
    const done = counted?.step ?? phase?.done ?? 0;
    const total = counted?.total ?? phase?.total ?? 0;
    return { label, state: 'current', count: total > 0 ? `${done} of ${total}` : null };
  });
}
