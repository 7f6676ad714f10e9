import { create } from 'zustand';
import type { StartJob } from '../../shared/contract';
import {
  applyEvents,
  isOver,
  summaryOf,
  type JobSummary,
  type JobView,
} from '../../shared/job-view';
import type { JobEvent, JobKind } from '../../shared/protocol';
import { call, on } from '../api';
import { notifyProblem } from './notify';

interface JobsState {
  /** Newest first. */
  readonly summaries: readonly JobSummary[];
  /** The jobs that are followed event by event: those that run and those that are looked at. */
  readonly views: Readonly<Record<string, JobView>>;
  /** Jobs that ran while this window was open. Earlier ones are history, and say nothing about where the user stands. */
  readonly current: readonly string[];
}

export const useJobs = create<JobsState>(() => ({ summaries: [], views: {}, current: [] }));

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

/** Gets the whole view and follows it from then on. */
export async function followJob(jobId: string): Promise<void> {
  if (fetching.has(jobId)) return;
  fetching.add(jobId);
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
  if (view === undefined || first === undefined) return;
  if (first.seq > view.lastSeq + 1) refollow(jobId);
  else keepView(applyEvents(view, events));
}

function onChanged(summary: JobSummary): void {
  keepSummary(summary);
  const view = useJobs.getState().views[summary.id];
  const over = isOver(summary.status);
  if (!over) markCurrent(summary.id);
  if (view === undefined) {
    if (!over) refollow(summary.id);
  } else if (over && summary.lastSeq > view.lastSeq) {
    refollow(summary.id);
  } else if (!isOver(view.status)) {
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

export async function startJob(request: StartJob): Promise<JobView> {
  const view = await call('jobs:start', request);
  keepSummary(summaryOf(view));
  keepView(view);
  markCurrent(view.id);
  return view;
}

export const stopJob = (jobId: string, force: boolean): Promise<null> =>
  call('jobs:stop', { jobId, force });

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
