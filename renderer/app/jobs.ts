import { create } from 'zustand';
import type { StartJob, Wish } from '../../shared/contract';
import {
  applyEvents,
  isOver,
  summaryOf,
  type JobSummary,
  type JobView,
} from '../../shared/job-view';
import type { JobEvent, JobKind } from '../../shared/protocol';
import { call, on } from '../api';
import { baseName } from '../format';
import { attempt, notifyDone, notifyProblem } from './notify';

/** What a training does between two steps without ending. */
export type PassingWish = Exclude<Wish, 'pause'>;

interface JobsState {
  /** Newest first. */
  readonly summaries: readonly JobSummary[];
  /** The jobs that are followed event by event: those that run and those that are looked at. */
  readonly views: Readonly<Record<string, JobView>>;
  /** Jobs that ran while this window was open. Earlier ones are history, and say nothing about where the user stands. */
  readonly current: readonly string[];
  /** What running jobs were asked for and have not done yet. */
  readonly wishes: Readonly<Record<string, readonly PassingWish[]>>;
}

export const useJobs = create<JobsState>(() => ({
  summaries: [],
  views: {},
  current: [],
  wishes: {},
}));

const fetching = new Set<string>();

function keepView(view: JobView): void {
  useJobs.setState(({ views }) => ({ views: { ...views, [view.id]: view } }));
}

function keepSummary(summary: JobSummary): void {
  useJobs.setState(({ summaries }) => ({
    summaries: [summary, ...summaries.filter(({ id }) => id !== summary.id)].sort((a, b) =>
      b.createdAt.localeCompare(a.createdAt),
    ),
  }));
}

function markCurrent(jobId: string): void {
  useJobs.setState(({ current }) =>
    current.includes(jobId) ? {} : { current: [...current, jobId] },
  );
}

const wishesOf = (jobId: string): readonly PassingWish[] => useJobs.getState().wishes[jobId] ?? [];

const setWishes = (jobId: string, wishes: readonly PassingWish[]): void =>
  useJobs.setState((jobs) => ({ wishes: { ...jobs.wishes, [jobId]: wishes } }));

const forgetWish = (jobId: string, wish: PassingWish): void =>
  setWishes(
    jobId,
    wishesOf(jobId).filter((each) => each !== wish),
  );

/** A wish is over when it is done, and when the job says that something kept it from being done. */
function fulfil(jobId: string, events: readonly JobEvent[]): void {
  for (const event of events) {
    if (wishesOf(jobId).length === 0) return;
    if (event.type === 'warning') setWishes(jobId, []);
    if (event.type === 'phase' && event.phase === 'sampling') forgetWish(jobId, 'sample');
    if (event.type === 'checkpoint' && wishesOf(jobId).includes('save')) {
      forgetWish(jobId, 'save');
      tellSaved(jobId, event.path);
    }
  }
}

const tellSaved = (jobId: string, path: string): void =>
  notifyDone({
    title: 'Saved',
    message: baseName(path),
    action: {
      label: 'Show in folder',
      run: () => attempt(() => call('jobs:reveal', { jobId, path })),
    },
  });

/** Gets the whole view and follows it from then on. */
export async function followJob(jobId: string): Promise<void> {
  if (fetching.has(jobId)) return;
  fetching.add(jobId);
  // Whatever was done in the meantime is in the view, but not told apart.
  setWishes(jobId, []);
  try {
    keepView(await call('jobs:get', { jobId }));
  } finally {
    fetching.delete(jobId);
  }
}

const refollow = (jobId: string): void => void followJob(jobId).catch(notifyProblem);

function onEvents({ jobId, events }: { jobId: string; events: readonly JobEvent[] }): void {
  const view = useJobs.getState().views[jobId];
  const first = events[0];
  fulfil(jobId, events);
  if (view === undefined || first === undefined) return;
  if (first.seq > view.lastSeq + 1) refollow(jobId);
  else keepView(applyEvents(view, events));
}

function onChanged(summary: JobSummary): void {
  keepSummary(summary);
  const view = useJobs.getState().views[summary.id];
  const over = isOver(summary.status);
  if (over) setWishes(summary.id, []);
  else markCurrent(summary.id);
  if (view === undefined) {
    if (!over) refollow(summary.id);
  } else if (over && summary.lastSeq > view.lastSeq) {
    refollow(summary.id);
  } else if (!over || !isOver(view.status)) {
    keepView({ ...view, status: summary.status });
  }
}

/** Subscribes, then picks up the jobs that are running already. */
export async function connectJobs(): Promise<void> {
  on('jobs:events', onEvents);
  on('jobs:changed', onChanged);
  for (const summary of await call('jobs:list')) {
    keepSummary(summary);
    if (isOver(summary.status)) continue;
    markCurrent(summary.id);
    await followJob(summary.id);
  }
}

export const startJob = (request: StartJob): Promise<JobView> => begun(call('jobs:start', request));

export const resumeJob = (jobId: string): Promise<JobView> => begun(call('jobs:resume', { jobId }));

async function begun(answer: Promise<JobView>): Promise<JobView> {
  const view = await answer;
  keepSummary(summaryOf(view));
  keepView(view);
  markCurrent(view.id);
  return view;
}

export const stopJob = (jobId: string, force: boolean): Promise<null> =>
  call('jobs:stop', { jobId, force });

export const pauseJob = (jobId: string): Promise<null> =>
  call('jobs:control', { jobId, wish: 'pause' });

/** Asks for what is done between two steps; `wishes` has it until it is. */
export async function wishFor(jobId: string, wish: PassingWish): Promise<void> {
  setWishes(jobId, [...wishesOf(jobId), wish]);
  try {
    await call('jobs:control', { jobId, wish });
  } catch (thrown) {
    forgetWish(jobId, wish);
    throw thrown;
  }
}

/** The newest job of a kind that has not ended; its status is the view's when there is one. */
export function runningJob({ summaries, views }: JobsState, kind: JobKind): JobView | null {
  for (const summary of summaries) {
    const view = views[summary.id];
    if (summary.kind === kind && view !== undefined && !isOver(view.status)) return view;
  }
  return null;
}

/** The newest job of a kind that ran, or still runs, while this window was open. */
export function latestJob({ summaries, views, current }: JobsState, kind: JobKind): JobView | null {
  const newest = summaries.find(({ id, kind: its }) => its === kind && current.includes(id));
  return newest === undefined ? null : (views[newest.id] ?? null);
}
