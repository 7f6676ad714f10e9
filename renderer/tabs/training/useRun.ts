import type { JobView } from '../../../shared/job-view';
import { latestJob, runningJob, useJobs } from '../../app/jobs';
import { useTraining } from './store';

/** The run on the screen: the one that was picked, else the one that runs, else the one that ran last. */
export function useShownRun(): JobView | null {
  const shownJob = useTraining((state) => state.shownJob);
  return useJobs((jobs) => {
    const picked = shownJob === null ? undefined : jobs.views[shownJob];
    return picked ?? runningJob(jobs, 'train') ?? latestJob(jobs, 'train');
  });
}

export const useRunningRun = (): JobView | null => useJobs((jobs) => runningJob(jobs, 'train'));
