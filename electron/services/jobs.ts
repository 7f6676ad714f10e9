import { rm } from 'node:fs/promises';
import type { StartJob } from '../../shared/contract';
import { summaryOf, type JobSummary, type JobView } from '../../shared/job-view';
import type { JobKind } from '../../shared/protocol';
import { ProblemError } from '../../shared/result';
import type { Locations } from '../lib/locations';
import { isInside } from '../lib/paths';
import { endTree } from '../lib/process-tree';
import {
  createJobFolder,
  headOf,
  listFolders,
  loggingDirOf,
  readConsole,
  readJob,
  readProc,
  setMarker,
  type ConsoleChunk,
} from './job-folder';
import { attachProcess, startProcess } from './job-process';
import type { Log } from './log';
import type { RecentLogs } from './recent-logs';
import { sampleFile } from './samples';
import { WatchedJob, type JobListener } from './watched-job';

export interface JobServiceOptions {
  readonly locations: Locations;
  readonly appVersion: string;
  readonly recentLogs: RecentLogs;
  readonly log: Log;
  readonly listener: JobListener;
  /** Keeps the captioning jobs of a project that has no logging directory yet. */
  readonly ownLogs?: string;
  /** Between the signals of a forced stop. */
  readonly graceMs?: number;
}

/** Starts, stops, follows and remembers jobs. The jobs are their own masters: this only reads what they write. */
export class JobService {
  readonly #options: JobServiceOptions;
  readonly #jobs = new Map<string, WatchedJob>();
  readonly #starting = new Set<JobKind>();
  #attached: Promise<void> = Promise.resolve();

  constructor(options: JobServiceOptions) {
    this.#options = options;
  }

  /** Finds the jobs of earlier runs of the app and takes up those that still run. */
  attachAll(): Promise<void> {
    this.#attached = this.#attachEach();
    return this.#attached;
  }

  async #attachEach(): Promise<void> {
    for (const loggingDir of await this.#options.recentLogs.list())
      for (const folder of await listFolders(loggingDir))
        await this.#attach(folder).catch((error: unknown) =>
          this.#options.log.error(`The job in ${folder} could not be read`, error),
        );
  }

  async #attach(folder: string): Promise<void> {
    const job = await readJob(folder);
    if (job === null || this.#jobs.has(job.id)) return;
    const proc = await readProc(folder);
    const running = proc === null ? null : await attachProcess(proc);
    const ended = running?.ended ?? Promise.resolve({ code: null, signal: null });
    const { listener, log } = this.#options;
    const watched = new WatchedJob(job, folder, running?.proc ?? null, ended, listener, log);
    this.#jobs.set(job.id, watched);
    if (running === null) await watched.settled;
  }

  /** @throws ProblemError `job_running` when one of its kind is under way */
  async start(request: StartJob): Promise<JobView> {
    const { kind } = request;
    await this.#attached;
    if (this.#starting.has(kind) || this.running().some((job) => job.kind === kind))
      throw new ProblemError(
        'job_running',
        kind === 'train' ? 'A training run is under way.' : 'Captioning is under way.',
        'Wait for it to end, or stop it first.',
      );
    this.#starting.add(kind);
    try {
      return await this.#start(request);
    } finally {
      this.#starting.delete(kind);
    }
  }

  async #start(request: StartJob): Promise<JobView> {
    const { locations, appVersion, recentLogs, listener, log, ownLogs = '' } = this.#options;
    const loggingDir = loggingDirOf(request, ownLogs);
    const { job, folder } = await createJobFolder(request, loggingDir, appVersion);
    await recentLogs.remember(loggingDir);
    const running = await startProcess(locations, folder, appVersion).catch(
      async (error: unknown) => {
        await rm(folder, { recursive: true, force: true });
        throw error;
      },
    );
    log.info(`Job ${job.id} started in ${folder}, pid ${String(running.proc.pid)}`);
    const head = headOf(job);
    const watched = new WatchedJob(head, folder, running.proc, running.ended, listener, log);
    this.#jobs.set(job.id, watched);
    listener.onChanged(summaryOf(watched.view));
    return watched.view;
  }

  /** Gently: returns at once, the job ends at its next safe point. By force: returns when its processes are gone. */
  async stop(jobId: string, force: boolean): Promise<void> {
    const watched = this.#find(jobId);
    if (watched.isOver) return;
    await setMarker(watched.folder, force ? 'force' : 'stop');
    watched.markStopping();
    if (!force || watched.proc === null) return;
    await endTree(watched.proc, this.#options.graceMs);
    await watched.settled;
  }

  running(): JobSummary[] {
    return this.list().filter((job) => !this.#find(job.id).isOver);
  }

  /** Newest first, once the jobs of earlier runs are known. */
  async listAll(): Promise<JobSummary[]> {
    await this.#attached;
    return this.list();
  }

  /** Those known so far, newest first. */
  list(): JobSummary[] {
    return [...this.#jobs.values()]
      .map((watched) => summaryOf(watched.view))
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  }

  get(jobId: string): JobView {
    return this.#find(jobId).view;
  }

  console(jobId: string, offset: number): Promise<ConsoleChunk> {
    return readConsole(this.#find(jobId).folder, offset);
  }

  /** The file of a sample, named by the `seq` of its event; null when there is none. */
  async sampleFile(jobId: string, seq: number): Promise<string | null> {
    const view = this.#jobs.get(jobId)?.view;
    return view === undefined ? null : sampleFile(view, seq);
  }

  /** The job when it is over. */
  async settled(jobId: string): Promise<JobView> {
    const watched = this.#find(jobId);
    await watched.settled;
    return watched.view;
  }

  /**
   * A path that belongs to a job: its folder, what is in it, and the files that it made.
   *
   * @throws ProblemError `not_of_job`
   */
  pathOf(jobId: string, path: string | null): string {
    const { folder, outputs, checkpoints } = this.get(jobId);
    if (path === null || path === folder) return folder;
    const made = [...outputs, ...checkpoints.map((checkpoint) => checkpoint.path)];
    if (made.includes(path) || isInside(folder, path)) return path;
    throw new ProblemError('not_of_job', `${path} was not made by this job.`);
  }

  /** Stops following. The jobs go on. */
  dispose(): void {
    for (const watched of this.#jobs.values()) watched.dispose();
  }

  #find(jobId: string): WatchedJob {
    const watched = this.#jobs.get(jobId);
    if (watched !== undefined) return watched;
    throw new ProblemError('job_unknown', `There is no job ${jobId}.`, 'Its folder may be gone.');
  }
}
