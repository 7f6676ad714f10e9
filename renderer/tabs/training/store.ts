import { create } from 'zustand';
import { trainConfigSchema, type TrainConfig } from '../../../shared/parameters';
import { followJob, resumeJob, startJob } from '../../app/jobs';
import { rememberModel } from '../../app/store';
import { createQuestion } from '../../question';

/** Asked after the plan: the answer has to wait for torch. */
const hardware = createQuestion('environment:probe', 1000);
export const useHardware = hardware.useAnswer;

/** Devices do not change while the app runs, so one answer is enough. */
export function askHardware(): void {
  if (useHardware.getState().value === null) hardware.ask(undefined);
}

interface TrainingState {
  /** The run that is looked at; null leaves it to `useShownRun`. */
  readonly shownJob: string | null;
  /** Weight of the past in the smoothed loss, in [0, 1). */
  readonly smoothing: number;
}

export const useTraining = create<TrainingState>(() => ({ shownJob: null, smoothing: 0.9 }));

export async function startTraining(config: TrainConfig): Promise<void> {
  rememberModel(config.pretrained_model_name_or_path);
  const view = await startJob({ kind: 'train', config: trainConfigSchema.parse(config) });
  useTraining.setState({ shownJob: view.id });
}

export async function resumeTraining(jobId: string): Promise<void> {
  await resumeJob(jobId);
  useTraining.setState({ shownJob: jobId });
}

export async function showRun(jobId: string): Promise<void> {
  await followJob(jobId);
  useTraining.setState({ shownJob: jobId });
}
