import type { StartJob } from '../../shared/contract';
import type { JobView } from '../../shared/job-view';
import { JobService } from '../services/jobs';
import type { Context } from './context';
import { print, printAside, printProblem } from './print';
import { ProgressPrinter } from './progress';

/** Runs a job to its end, showing how it goes. The first Ctrl-C stops it gently, the second by force. */
export async function runJob(context: Context, request: StartJob): Promise<JobView> {
  const printer = new ProgressPrinter(process.stdout);
  const jobs = new JobService({
    ...context,
    recentLogs: { list: () => Promise.resolve([]), remember: () => Promise.resolve() },
    listener: { onChanged: () => undefined, onEvents: (_id, events) => printer.show(events) },
  });
  const { id, folder } = await jobs.start(request);
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
