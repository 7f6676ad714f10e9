import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { StartJob } from '../../shared/contract';
import type { JobHead } from '../../shared/job-view';
import { controls, jobSchema, procSchema, type Job, type Proc } from '../../shared/protocol';
import { defaultTrainConfig } from '../../shared/parameters';
import { ProblemError } from '../../shared/result';
import { samplePromptLines } from '../../shared/sample-prompts';
import { writeJsonAtomically } from '../lib/atomic-file';
import { codeOf, fileProblem, isNotFound } from '../lib/file-problem';

/** Names and reading of what lies in a job's folder. */

export const eventsFile = (folder: string): string => join(folder, 'events.jsonl');
export const consoleFile = (folder: string): string => join(folder, 'console.log');
const jobFile = (folder: string): string => join(folder, 'job.json');
const procFile = (folder: string): string => join(folder, 'proc.json');

/** All but `force` are the bridge's to read; that is our own note that a job without an ending was ended on purpose. */
const markers = [...controls, 'force'] as const;
export type Marker = (typeof markers)[number];
const markerFile = (folder: string, marker: Marker): string => join(folder, 'control', marker);

export const setMarker = (folder: string, marker: Marker): Promise<void> =>
  writeFile(markerFile(folder, marker), '');

export async function hasMarker(folder: string, marker: Marker): Promise<boolean> {
  return (await readOrNull(markerFile(folder, marker))) !== null;
}

/** Forgets what was asked of the job while it ran last. */
export async function clearMarkers(folder: string): Promise<void> {
  for (const marker of markers) await rm(markerFile(folder, marker), { force: true });
}

// Not the whole schema: the folder of an older job, whose parameters were others, stays readable.
const jobHeadSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['train', 'caption']),
    name: z.string(),
    createdAt: z.string(),
    config: z
      .object({ sample_prompts: z.string(), sample_prompts_file: z.string().default('') })
      .catch({ sample_prompts: '', sample_prompts_file: '' }),
  })
  .transform(({ config, ...head }) => ({
    ...head,
    samplePrompts:
      samplePromptLines(config.sample_prompts).length + (config.sample_prompts_file === '' ? 0 : 1),
  }));

export const headOf = (job: Job): JobHead => jobHeadSchema.parse(job);

/** The job in a folder; null when there is none. */
export const readJob = (folder: string): Promise<JobHead | null> =>
  readAs(jobHeadSchema, jobFile(folder));

/**
 * The whole of a job's description. What an earlier version of the app did not know of is at its default.
 *
 * @throws ProblemError `job_unreadable`: it is gone, or of a version that is not ours
 */
export async function readWholeJob(folder: string): Promise<Job> {
  const found = await readAs(earlierJobSchema, jobFile(folder));
  const parsed = jobSchema.safeParse(found);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ProblemError(
    'job_unreadable',
    found === null
      ? `${jobFile(folder)} cannot be read.`
      : `${jobFile(folder)} is not a job of this version of the app: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    'Go on with it in the version that it was begun with, or start a new run.',
  );
}

export const writeJob = (folder: string, job: Job): Promise<void> =>
  writeJsonAtomically(jobFile(folder), job);

const earlierJobSchema = z
  .looseObject({ kind: z.string(), config: z.looseObject({}) })
  .transform((job) =>
    job.kind === 'train' ? { ...job, config: { ...defaultTrainConfig, ...job.config } } : job,
  );

export const readProc = (folder: string): Promise<Proc | null> =>
  readAs(procSchema, procFile(folder));
export const writeProc = (folder: string, proc: Proc): Promise<void> =>
  writeJsonAtomically(procFile(folder), proc);

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

async function readAs<S extends z.ZodType>(schema: S, path: string): Promise<z.output<S> | null> {
  const text = await readOrNull(path);
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Folders in a logging directory that may be jobs. */
export async function listFolders(loggingDir: string): Promise<string[]> {
  try {
    const entries = await readdir(loggingDir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(loggingDir, entry.name));
  } catch {
    return [];
  }
}

/** A training run is kept where the person says; a captioning job, which nobody looks for, may have the app's own place. */
export const loggingDirOf = (request: StartJob, ownLogs: string): string =>
  request.kind === 'train' ? request.config.logging_dir : request.logging_dir || ownLogs;

/** Makes the folder of a new job, with its `job.json`. */
export async function createJobFolder(
  request: StartJob,
  loggingDir: string,
  appVersion: string,
): Promise<{ readonly job: Job; readonly folder: string }> {
  const now = new Date();
  const name = request.kind === 'train' ? request.config.output_name : 'caption';
  if (loggingDir === '')
    throw new ProblemError(
      'logging_dir_missing',
      'There is no logging directory to keep the job in.',
      'Choose a logging directory on the Parameters tab, or prepare a dataset first.',
    );
  const base = {
    schemaVersion: 1,
    id: randomUUID(),
    name,
    createdAt: now.toISOString(),
    appVersion,
  } as const;
  const job: Job =
    request.kind === 'train'
      ? { kind: 'train', ...base, config: request.config }
      : { kind: 'caption', ...base, config: request.config };
  try {
    await mkdir(loggingDir, { recursive: true });
    const folder = await makeNewFolder(join(loggingDir, `${timeStamp(now)}-${name}`));
    await mkdir(join(folder, 'control'));
    await writeJob(folder, job);
    return { job, folder };
  } catch (error) {
    throw fileProblem(error, loggingDir);
  }
}

async function makeNewFolder(path: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const candidate = attempt === 1 ? path : `${path}-${String(attempt)}`;
    try {
      await mkdir(candidate);
      return candidate;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

/** Local time as yyyymmdd-hhmmss. */
function timeStamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(date.getFullYear())}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

export interface ConsoleChunk {
  readonly text: string;
  readonly nextOffset: number;
}

const CONSOLE_CHUNK_BYTES = 256 * 1024;

/**
 * Text of `console.log` from a byte offset on. An offset further back than 256 KiB is moved up, one beyond the end is
 * moved back to it. Never cuts a character in two: what is incomplete comes with the next chunk.
 */
export async function readConsole(folder: string, offset = 0): Promise<ConsoleChunk> {
  const file = await open(consoleFile(folder), 'r').catch((error: unknown) => {
    if (isNotFound(error)) return null;
    throw error;
  });
  if (file === null) return { text: '', nextOffset: 0 };
  try {
    const { size } = await file.stat();
    const start = Math.max(Math.min(offset, size), size - CONSOLE_CHUNK_BYTES);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(size - start),
      0,
      size - start,
      start,
    );
    const whole = buffer.subarray(0, wholeCharacters(buffer.subarray(0, bytesRead)));
    return { text: whole.toString('utf8'), nextOffset: start + whole.length };
  } finally {
    await file.close();
  }
}

/** Number of bytes up to the end of the last complete UTF-8 character. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
