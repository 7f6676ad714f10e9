import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobEvent } from '../../../shared/protocol';
import { sampleEvent } from '../../fakes/sample-event';

/** One dark pixel. */
export const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

export interface EarlierRun {
  readonly id: string;
  readonly folder: string;
}

type Sample = Parameters<typeof sampleEvent>[0];

/** A run in `<home>/log` that has ended, whose samples are numbered from 1. Paths are given or made up. */
export async function makeEarlierRun(
  home: string,
  id: string,
  samples: readonly NonNullable<Sample>[],
): Promise<EarlierRun> {
  const folder = join(home, 'log', id);
  await mkdir(join(folder, 'samples'), { recursive: true });
  const job = { id, kind: 'train', name: id, createdAt: '2026-11-20T10:00:00Z', config: {} };
  await writeFile(join(folder, 'job.json'), JSON.stringify(job));
  const events: JobEvent[] = [];
  for (const [index, fields] of samples.entries()) {
    const path = fields.path ?? join(folder, 'samples', `${index + 1}.png`);
    if (fields.path === undefined) await writeFile(path, png);
    events.push(sampleEvent({ ...fields, path, seq: index + 1 }));
  }
  const seq = samples.length + 1;
  events.push({ type: 'finished', v: 1, seq, time: 2, outcome: 'completed', outputs: [] });
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  await writeFile(join(folder, 'events.jsonl'), lines.join(''));
  return { id, folder };
}

/** Has the app that is launched in this home know the runs that were made there. */
export async function rememberRuns(home: string): Promise<void> {
  await mkdir(join(home, 'user-data'), { recursive: true });
  await writeFile(join(home, 'user-data', 'recent-logs.json'), JSON.stringify([join(home, 'log')]));
}
