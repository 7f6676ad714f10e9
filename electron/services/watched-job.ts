import {
  applyEvents,
  isOver,
  newJobView,
  summaryOf,
  type JobHead,
  type JobStatus,
  type JobSummary,
  type JobView,
} from '../../shared/job-view';
import { MAX_LINE_BYTES, type JobEvent, type Proc } from '../../shared/protocol';
import type { Problem } from '../../shared/result';
import { Batcher } from '../lib/batcher';
import { Tailer } from '../lib/tailer';
import { parseEventLine } from './job-events';
import { eventsFile, hasMarker, setMarker, type Marker } from './job-folder';
import { vanished } from './job-endings';
import type { Exit, RunningJob } from './job-process';
import type { Log } from './log';

const TICK_MS = 1000;
const BATCH_MS = 100;
const SLOW_SECONDS = 10;
const UNRESPONSIVE_SECONDS = 30;

export interface JobListener {
  /** A job appeared or its status changed. All of its events so far have been told before. */
  readonly onChanged: (summary: JobSummary) => void;
  /** New events, at most ten times a second. */
  readonly onEvents: (jobId: string, events: readonly JobEvent[]) => void;
}

/** What a running job was asked for that ends it. */
export type EndingWish = 'stop' | 'pause';

/** One job as its files and its process tell it: follows the events, never writes. */
export class WatchedJob {
  readonly folder: string;
  #proc: Proc | null = null;
  #settled: Promise<void> = Promise.resolve();
  #fromEvents: JobView;
  /** What the events cannot tell: the ending of a process that wrote none, or a protocol that is not ours. */
  #ending: JobStatus | null = null;
  #asked: EndingWish | null = null;
  /** What was told up to here ended an earlier process, not the one that is followed. */
  #seqBefore = 0;
  #toldStatus = '';
  #badLines = 0;
  readonly #tailer: Tailer;
  readonly #batcher: Batcher<JobEvent>;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    job: JobHead,
    folder: string,
    private readonly listener: JobListener,
    private readonly log: Log,
  ) {
    this.folder = folder;
    this.#fromEvents = newJobView(job, folder);
    this.#batcher = new Batcher(BATCH_MS, (events) => listener.onEvents(job.id, events));
    this.#tailer = new Tailer(eventsFile(folder), {
      maxLineBytes: MAX_LINE_BYTES,
      onLines: (lines) => this.#take(lines),
      onError: (error) => log.error(`Reading the events of ${folder}`, error),
    });
  }

  /**
   * Follows what a process tells from here on, until it ends; once more when the job is resumed.
   *
   * @param running who runs it; null when nobody does any more
   */
  follow(running: RunningJob | null): void {
    this.#proc = running?.proc ?? null;
    this.#ending = null;
    this.#asked = null;
    this.#seqBefore = this.#fromEvents.lastSeq;
    this.#toldStatus = JSON.stringify(this.#status());
    this.#tailer.start();
    this.#timer = setInterval(() => this.#tellStatus(), TICK_MS);
    this.#settled = this.#settle(running?.ended ?? Promise.resolve({ code: null, signal: null }));
  }

  /** Who runs it; null when nobody does any more. */
  get proc(): Proc | null {
    return this.#proc;
  }

  /** Resolves when the process is gone and the last event read. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  /** Resolves when all that is there by now has been read. */
  caughtUp(): Promise<void> {
    return this.#tailer.drain();
  }

  get view(): JobView {
    return { ...this.#fromEvents, status: this.#status() };
  }

  get isOver(): boolean {
    return isOver(this.#status());
  }

  /** Asks the process to end. It is told before it may have ended, and taken back where it could not be asked. */
  async ask(wish: EndingWish, marker: Marker): Promise<void> {
    const before = this.#asked;
    this.#setAsked(wish);
    try {
      await setMarker(this.folder, marker);
    } catch (error) {
      this.#setAsked(before);
      throw error;
    }
  }

  #setAsked(wish: EndingWish | null): void {
    this.#asked = wish;
    this.#tellStatus();
  }

  dispose(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#tailer.stop();
    this.#batcher.flush();
  }

  #take(lines: readonly string[]): void {
    const events = lines.flatMap((line) => this.#parse(line) ?? []);
    this.#fromEvents = applyEvents(this.#fromEvents, events);
    this.#batcher.add(events);
    this.#tellStatus();
  }

  #parse(line: string): JobEvent | null {
    const parsed = parseEventLine(line);
    if (parsed.kind === 'event') return parsed.event;
    if (parsed.kind === 'refused') this.#refuse(parsed.problem);
    else {
      this.#badLines += 1;
      this.log.warn(
        `${this.folder}: event line ignored (${parsed.reason}), ${String(this.#badLines)} so far`,
      );
    }
    return null;
  }

  #refuse(problem: Problem): void {
    if (this.#ending !== null) return;
    this.log.error(`${this.folder}: ${problem.message}`);
    this.#tailer.stop();
    this.#ending = { kind: 'failed', problem };
  }

  async #settle(ended: Promise<Exit>): Promise<void> {
    this.#asked ??= await this.#markedWish();
    const exit = await ended;
    await this.#tailer.drain();
    if (this.#tailer.droppedLines > 0)
      this.log.warn(
        `${this.folder}: ${String(this.#tailer.droppedLines)} event lines were too long`,
      );
    if (!this.isOver) this.#ending = await vanished(this.folder, this.#fromEvents.kind, exit);
    this.dispose();
    this.#tellStatus();
  }

  /** What another run of the app asked for. */
  async #markedWish(): Promise<EndingWish | null> {
    if (await hasMarker(this.folder, 'stop')) return 'stop';
    return (await hasMarker(this.folder, 'pause')) ? 'pause' : null;
  }

  #status(): JobStatus {
    const { status, lastEventTime, lastSeq } = this.#fromEvents;
    if (this.#ending !== null) return this.#ending;
    if (isOver(status)) return lastSeq > this.#seqBefore ? status : { kind: 'starting' };
    if (this.#asked !== null) return { kind: this.#asked === 'stop' ? 'stopping' : 'pausing' };
    if (status.kind !== 'running') return status;
    const seconds = Math.floor(Date.now() / 1000 - lastEventTime);
    return seconds < SLOW_SECONDS
      ? status
      : { kind: 'silent', seconds, unresponsive: seconds >= UNRESPONSIVE_SECONDS };
  }

  #tellStatus(): void {
    const status = JSON.stringify(this.#status());
    if (status === this.#toldStatus) return;
    this.#toldStatus = status;
    this.#batcher.flush();
    this.listener.onChanged(summaryOf(this.view));
  }
}
