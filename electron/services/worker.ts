import type { WorkerStatus } from '../../shared/contract';
import { PROTOCOL_VERSION } from '../../shared/protocol';
import {
  workerAnswers,
  workerHelloSchema,
  workerReplySchema,
  type WorkerAnswer,
  type WorkerRequest,
} from '../../shared/worker-protocol';
import { ProblemError, type Problem } from '../../shared/result';
import { pythonMissing, type Locations } from '../lib/locations';
import type { Log } from './log';
import { startWorkerProcess, type WorkerProcess } from './worker-process';

type RequestType = WorkerRequest['type'];
type Question<T extends RequestType> = Omit<Extract<WorkerRequest, { type: T }>, 'id' | 'type'>;

interface Pending {
  readonly type: RequestType;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const MAX_CRASHES = 3;
const CRASH_WINDOW_MS = 60_000;

export interface WorkerOptions {
  readonly locations: Locations;
  readonly log: Log;
  readonly onStatus: (status: WorkerStatus) => void;
  readonly timeoutMs?: number;
}

/**
 * Short questions to the bridge. The worker is started when it is first needed, and again by the next question after a
 * crash; one that keeps crashing is left alone for a minute.
 */
export class Worker {
  #process: WorkerProcess | null = null;
  #status: WorkerStatus = { kind: 'starting' };
  #isGreeted = false;
  #nextId = 1;
  #crashes: number[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #options: WorkerOptions;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  get status(): WorkerStatus {
    return this.#status;
  }

  start(): void {
    if (this.#process !== null) return;
    this.#setStatus({ kind: 'starting' });
    this.#isGreeted = false;
    const { locations, log } = this.#options;
    const process = startWorkerProcess(
      locations,
      {
        onLine: (line) => this.#takeLine(line),
        onEnd: ({ started, text }) => {
          if (this.#process === process) this.#takeEnd(started, text);
        },
      },
      log,
    );
    this.#process = process;
  }

  /** @throws ProblemError the worker's own problem, `worker_timeout`, `worker_crashed`, `python_missing` */
  async ask<T extends RequestType>(type: T, question: Question<T>): Promise<WorkerAnswer<T>> {
    if (this.#status.kind === 'failed' && this.#crashes.filter(isRecent).length >= MAX_CRASHES)
      throw errorOf(this.#status.problem);
    this.start();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#takeTimeout(id), this.#options.timeoutMs ?? 120_000);
      // The answer was parsed with the schema of `type`.
      this.#pending.set(id, {
        type,
        resolve: (answer) => resolve(answer as WorkerAnswer<T>),
        reject,
        timer,
      });
      this.#process?.send(JSON.stringify({ type, id, ...question }));
    });
  }

  dispose(): void {
    const process = this.#process;
    this.#process = null;
    this.#rejectAll(new ProblemError('worker_closed', 'The app is closing.'));
    process?.close();
  }

  #takeLine(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#options.log.warn(`worker: not JSON: ${line.slice(0, 200)}`);
      return;
    }
    if (this.#isGreeted) this.#takeReply(value);
    else this.#takeHello(value);
  }

  #takeHello(value: unknown): void {
    const hello = workerHelloSchema.safeParse(value);
    if (hello.success && hello.data.protocolVersion === PROTOCOL_VERSION) {
      this.#isGreeted = true;
      this.#setStatus({ kind: 'ready' });
      return;
    }
    this.#fail({
      code: 'protocol_version',
      message: 'The Python bridge speaks another version of the protocol than this app.',
      hint: 'Run the set-up again with npm start.',
    });
  }

  #takeReply(value: unknown): void {
    const reply = workerReplySchema.safeParse(value);
    const pending = reply.success ? this.#pending.get(reply.data.re) : undefined;
    if (!reply.success || pending === undefined) {
      this.#options.log.warn(
        `worker: not an awaited answer: ${JSON.stringify(value).slice(0, 200)}`,
      );
      return;
    }
    this.#pending.delete(reply.data.re);
    clearTimeout(pending.timer);
    if ('error' in reply.data) {
      pending.reject(errorOf(reply.data.error));
      return;
    }
    const answer = workerAnswers[pending.type].safeParse(reply.data.ok);
    if (answer.success) pending.resolve(answer.data);
    else
      pending.reject(
        new ProblemError(
          'worker_answer',
          `The Python bridge answered ${pending.type} with something else than was agreed.`,
          answer.error.issues[0]?.message,
        ),
      );
  }

  /** A worker that does not answer is of no use for later questions either. */
  #takeTimeout(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.reject(
      new ProblemError(
        'worker_timeout',
        `The Python bridge did not answer ${pending.type} in time.`,
        'Try again.',
      ),
    );
    this.#process?.kill();
  }

  #takeEnd(started: boolean, text: string): void {
    this.#process = null;
    this.#crashes = [...this.#crashes.filter(isRecent), Date.now()];
    const error = started
      ? this.#crashed(`It ended with ${text}`)
      : pythonMissing(this.#options.locations.bridgeCommand[0] ?? '');
    this.#options.log.error(`worker ended: ${text}`);
    this.#setStatus({ kind: 'failed', problem: error.problem });
    this.#rejectAll(error);
  }

  #fail(problem: Problem): void {
    const process = this.#process;
    this.#process = null;
    process?.kill();
    this.#crashes = [...this.#crashes.filter(isRecent), Date.now()];
    this.#setStatus({ kind: 'failed', problem });
    this.#rejectAll(errorOf(problem));
  }

  #crashed(detail: string): ProblemError {
    return new ProblemError(
      'worker_crashed',
      `The Python bridge does not run. ${detail}.`,
      'The log file says why (Help, Open log folder). If its environment is broken, delete .venv and run npm start.',
    );
  }

  #rejectAll(error: Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { timer, reject } of pending) {
      clearTimeout(timer);
      reject(error);
    }
  }

  #setStatus(status: WorkerStatus): void {
    this.#status = status;
    this.#options.onStatus(status);
  }
}

const errorOf = ({ code, message, hint }: Problem): ProblemError =>
  new ProblemError(code, message, hint);

const isRecent = (time: number): boolean => Date.now() - time < CRASH_WINDOW_MS;
