import type { JobView } from '../../shared/job-view';
import { parameterProblems } from '../../shared/parameters';
import type { TabName } from '../../shared/settings';
import { usePreparation } from '../tabs/dataset/store';
import { latestJob, useJobs } from './jobs';
import { configOf, useProject } from './project';

/** How a step stands, for its tab: a mark to see, and a sentence for who cannot see it. */
export interface TabMark {
  readonly kind: 'busy' | 'done' | 'attention' | 'failed';
  readonly text: string;
  readonly says: string;
}

const mark = (kind: TabMark['kind'], says: string, text = ''): TabMark => ({ kind, says, text });

const percent = (done: number, total: number): string =>
  total > 0 ? `${Math.floor((100 * done) / total)} %` : '…';

function jobMark(job: JobView | null, done: number, total: number): TabMark | null {
  switch (job?.status.kind) {
    case undefined:
    case 'stopped':
      return null;
    case 'paused':
      return mark('attention', 'Paused');
    case 'completed':
      return mark('done', 'Done');
    case 'failed':
      return mark('failed', 'Failed');
    case 'silent':
      return mark('attention', 'Not responding');
    case 'starting':
    case 'running':
    case 'stopping':
    case 'pausing':
      return mark('busy', `Running, ${percent(done, total)}`, percent(done, total));
  }
}

export function useTabMarks(): Record<TabName, TabMark | null> {
  const preparation = usePreparation();
  const training = useProject((project) => project.training);
  const captionJob = useJobs((jobs) => latestJob(jobs, 'caption'));
  const trainJob = useJobs((jobs) => latestJob(jobs, 'train'));

  const progress = preparation.kind === 'running' ? preparation.progress : null;
  const copied = percent(progress?.done ?? 0, progress?.total ?? 0);
  const prepared = (training.train_data_dir ?? '') !== '';
  const problems = Object.keys(parameterProblems(configOf(training))).length;
  const caption = captionJob?.lastCaption;
  const step = trainJob?.lastStep;
  return {
    dataset:
      preparation.kind === 'idle'
        ? prepared
          ? mark('done', 'Done')
          : null
        : mark('busy', `Preparing, ${copied}`, copied),
    captioning: jobMark(captionJob, caption?.done ?? 0, caption?.total ?? 0),
    parameters: problems > 0 ? mark('attention', `${problems} to be mended`) : null,
    training: jobMark(trainJob, step?.step ?? 0, step?.total ?? 0),
  };
}
