import type { JobSummary } from '../../shared/job-view';
import { meanPixels, speedOf, type RunSpeed } from '../../shared/time-estimate';
import type { TrainConfig } from '../../shared/parameters';

/** The first steps warm up: what they take says little. */
const FEWEST_STEPS = 5;
const MOST_RUNS = 20;

/**
 * How fast earlier trainings were, and those that run, in the order given.
 *
 * @param configOf rejects for a job whose config cannot be read, which is left out
 */
export async function runSpeeds(
  jobs: readonly JobSummary[],
  configOf: (jobId: string) => Promise<TrainConfig>,
): Promise<RunSpeed[]> {
  const measured = jobs.flatMap(({ id, kind, name, createdAt, hello, plan, lastStep }) => {
    if (kind !== 'train' || hello === null || plan === null || lastStep === null) return [];
    const pixels = meanPixels(plan);
    const { step, secondsPerStep } = lastStep;
    if (step < FEWEST_STEPS || secondsPerStep <= 0 || pixels === 0) return [];
    return [{ id, speed: { name, createdAt, device: hello.device.name, secondsPerStep, pixels } }];
  });
  const speeds = await Promise.all(
    measured.slice(0, MOST_RUNS).map(async ({ id, speed }) => {
      const config = await configOf(id).catch(() => null);
      return config === null ? [] : [speedOf(config, speed)];
    }),
  );
  return speeds.flat();
}
