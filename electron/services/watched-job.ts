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
import { eventsFile, hasMarker } from './job-folder';
import { vanished } from './job-endings';
import type { Exit } from './job-process';
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

/** One job as its files and its process tell it: follows the events, never writes. */
export class WatchedJob {
  /** Resolves when the process is gone and the last event read. */
  readonly settled: Promise<void>;
  readonly folder: string;
  #fromEvents: JobView;
  /** What the events cannot tell: the ending of a process that wrote none, or a protocol that is not ours. */
  #ending: JobStatus | null = null;
  #stopping = false;
  #toldStatus: string;
  #badLines = 0;
  readonly #tailer: Tailer;
  readonly #batcher: Batcher<JobEvent>;
  readonly #timer: NodeJS.Timeout;

  constructor(
    job: JobHead,
    folder: string,
    /** Who runs it; null when nobody does any more. */
    readonly proc: Proc | null,
    ended: Promise<Exit>,
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
    this.#toldStatus = JSON.stringify(this.#status());
    this.#tailer.start();
    this.#timer = setInterval(() => this.#tellStatus(), TICK_MS);
    this.settled = this.#settle(ended);
  }

  get view(): JobView {
    return { ...this.#fromEvents, status: this.#status() };
  }

  get isOver(): boolean {
    return isOver(this.#status());
  }

  markStopping(): void {
    this.#stopping = true;
    this.#tellStatus();
  }

  dispose(): void {
    clearInterval(this.#timer);
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
    this.#stopping = await hasMarker(this.folder, 'stop');
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

  #status(): JobStatus {
    const { status, lastEventTime } = this.#fromEvents;
    if (this.#ending !== null) return this.#ending;
    if (isOver(status)) return status;
    if (this.#stopping) return { kind: 'stopping' };
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
