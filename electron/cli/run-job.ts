import type { StartJob } from '../../shared/contract';
import type { JobView } from '../../shared/job-view';
import { JobService } from '../services/jobs';
import type { Context } from './context';
import { print, printAside, printProblem } from './print';
import { ProgressPrinter } from './progress';

/** Runs a new job to its end. */
export const runJob = (context: Context, request: StartJob): Promise<JobView> =>
  follow(context, (jobs) => jobs.start(request));

/**
 * Goes on with the training in a job's folder, to its end.
 *
 * @throws ProblemError as `JobService.open` and `JobService.resume`
 */
export const resumeJob = (context: Context, folder: string): Promise<JobView> =>
  follow(context, async (jobs) => {
    const { id } = await jobs.open(folder);
    return jobs.resume(id);
  });

/** Shows how a job goes from its beginning on. The first Ctrl-C stops it gently, the second by force. */
async function follow(
  context: Context,
  begin: (jobs: JobService) => Promise<JobView>,
): Promise<JobView> {
  const printer = new ProgressPrinter(process.stdout);
  // What was told before it was gone on with is history.
  let hasBegun = false;
  const jobs = new JobService({
    ...context,
    recentLogs: { list: () => Promise.resolve([]), remember: () => Promise.resolve() },
    listener: {
      onChanged: () => undefined,
      onEvents: (_id, events) => {
        if (hasBegun) printer.show(events);
      },
    },
  });
  const { id, folder } = await begin(jobs);
  hasBegun = true;
  print(`Job: ${folder}`);
  let asked = 0;
  const interrupt = (): void => {
    asked += 1;
    printer.finish();
    printAside(
      asked === 1 ? 'Stopping and saving. Ctrl-C again ends it by force.' : 'Ending it by force.',
    );
    jobs.stop(id, asked > 1).catch((error: unknown) => printAside(String(error)));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const view = await jobs.settled(id);
    printer.finish();
    if (view.status.kind === 'failed') printProblem('Error', view.status.problem);
    return view;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    jobs.dispose();
  }
}
