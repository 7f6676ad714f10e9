import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StartJob, Wish } from '../../shared/contract';
import { summaryOf, type JobHead, type JobSummary, type JobView } from '../../shared/job-view';
import type { TrainConfig } from '../../shared/parameters';
import type { JobKind } from '../../shared/protocol';
import { ProblemError } from '../../shared/result';
import type { Locations } from '../lib/locations';
import { isInside } from '../lib/paths';
import { endTree } from '../lib/process-tree';
import {
  clearMarkers,
  createJobFolder,
  headOf,
  listFolders,
  loggingDirOf,
  readConsole,
  readJob,
  readProc,
  readWholeJob,
  setMarker,
  writeJob,
  type ConsoleChunk,
} from './job-folder';
import { attachProcess, startProcess, type RunningJob } from './job-process';
import type { Log } from './log';
import type { RecentLogs } from './recent-logs';
import { sampleFile } from './samples';
import { WatchedJob, type EndingWish, type JobListener } from './watched-job';

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
  /** How long a process that has told its end may take to go. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 10_000;

const notATraining = (): ProblemError =>
  new ProblemError('not_resumable', 'Only a training can be gone on with.', 'Start the job anew.');

/** What ended as planned is trained longer as a run of its own; a foreign protocol is not mixed with ours. */
function refuseToResume({ kind, status }: JobView): void {
  if (kind !== 'train') throw notATraining();
  if (status.kind === 'completed')
    throw new ProblemError(
      'not_resumable',
      'The run has done all of its steps.',
      'Train it longer: start one with more epochs or steps that resumes from its folder.',
    );
  if (status.kind === 'failed' && status.problem.code === 'protocol_version')
    throw new ProblemError('not_resumable', status.problem.message, status.problem.hint);
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
    const watched = this.#watch(job, folder, running);
    await (running === null ? watched.settled : watched.caughtUp());
  }

  #watch(job: JobHead, folder: string, running: RunningJob | null): WatchedJob {
    const { listener, log } = this.#options;
    const watched = new WatchedJob(job, folder, listener, log);
    watched.follow(running);
    this.#jobs.set(job.id, watched);
    return watched;
  }

  /**
   * Takes up the job of one folder, wherever it lies.
   *
   * @throws ProblemError `job_unreadable`
   */
  async open(folder: string): Promise<JobView> {
    const { id } = await readWholeJob(folder);
    await this.#attach(folder);
    return this.#find(id).view;
  }

  /** @throws ProblemError `job_running` when one of its kind is under way */
  start(request: StartJob): Promise<JobView> {
    return this.#alone(request.kind, () => this.#start(request));
  }

  /**
   * Goes on with a training that has ended, in its own folder: from its newest state, or from its beginning where it
   * has none.
   *
   * @throws ProblemError `job_running`, `not_resumable`, `job_unreadable`
   */
  resume(jobId: string): Promise<JobView> {
    return this.#alone('train', () => this.#resume(this.#find(jobId)));
  }

  async #alone<T>(kind: JobKind, begin: () => Promise<T>): Promise<T> {
    await this.#attached;
    if (this.#starting.has(kind) || this.running().some((job) => job.kind === kind))
      throw new ProblemError(
        'job_running',
        kind === 'train' ? 'A training run is under way.' : 'Captioning is under way.',
        'Wait for it to end, or stop it first.',
      );
    this.#starting.add(kind);
    try {
      return await begin();
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
    const { view } = this.#watch(headOf(job), folder, running);
    listener.onChanged(summaryOf(view));
    return view;
  }

  async #resume(watched: WatchedJob): Promise<JobView> {
    const { locations, appVersion, listener, log } = this.#options;
    const { folder } = watched;
    refuseToResume(watched.view);
    await this.#gone(watched);
    const job = await readWholeJob(folder);
    await writeJob(folder, job);
    await clearMarkers(folder);
    const running = await startProcess(locations, folder, appVersion);
    log.info(`Job ${job.id} goes on in ${folder}, pid ${String(running.proc.pid)}`);
    watched.follow(running);
    listener.onChanged(summaryOf(watched.view));
    return watched.view;
  }

  /** A process that has told its end may take a moment to go: two must not write to one folder. */
  async #gone(watched: WatchedJob): Promise<void> {
    const isGone = await Promise.race([
      watched.settled.then(() => true),
      sleep(this.#options.patienceMs ?? PATIENCE_MS, false, { ref: false }),
    ]);
    if (isGone) return;
    throw new ProblemError(
      'job_running',
      'The run has ended, but its process is still there.',
      'Wait a moment and try again.',
    );
  }

  /**
   * The config that a training was started with.
   *
   * @throws ProblemError `not_resumable` for a job of another kind, `job_unreadable`
   */
  async configOf(jobId: string): Promise<TrainConfig> {
    const job = await readWholeJob(this.#find(jobId).folder);
    if (job.kind === 'train') return job.config;
    throw notATraining();
  }

  /** Asks a running job for something at its next safe point. A job that is over is not asked. */
  async control(jobId: string, wish: Wish): Promise<void> {
    const watched = this.#find(jobId);
    if (watched.isOver) return;
    await (wish === 'pause' ? watched.ask(wish, wish) : setMarker(watched.folder, wish));
  }

  /** Gently: returns at once, the job ends at its next safe point. By force: returns when its processes are gone. */
  async stop(jobId: string, force: boolean): Promise<void> {
    const watched = this.#find(jobId);
    if (watched.isOver) return;
    await watched.ask('stop', force ? 'force' : 'stop');
    if (!force || watched.proc === null) return;
    await endTree(watched.proc, this.#options.graceMs);
    await watched.settled;
  }

  /** Asks all that runs to end: a training in the way that is asked for, what cannot be paused by stopping. */
  async endAll(wish: EndingWish): Promise<void> {
    await Promise.all(
      this.running().map(({ id, kind }) =>
        wish === 'pause' && kind === 'train' ? this.control(id, 'pause') : this.stop(id, false),
      ),
    );
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
