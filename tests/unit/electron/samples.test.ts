import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { JobService } from '../../../electron/services/jobs';
import { createRecentLogs } from '../../../electron/services/recent-logs';
import { sampleFile, Samples, type SamplePicture } from '../../../electron/services/samples';
import type { JobEvent } from '../../../shared/protocol';
import type { PictureFacts } from '../../../shared/picture-protocol';
import { locateFakeBridge } from '../../fakes/fake-bridge';
import { recordingLog } from '../../fakes/recording-log';
import { sampleEvent } from '../../fakes/sample-event';
import { tempFolder } from '../../fakes/temp-folder';

async function jobIn(parent: string, name: string) {
  const folder = join(parent, name);
  await mkdir(join(folder, 'samples'), { recursive: true });
  const path = join(folder, 'samples', '1.png');
  await writeFile(path, name);
  return { folder, path };
}

test('a sample is found by its number', async () => {
  const { folder, path } = await jobIn(await tempFolder(), 'job');
  const samples = [sampleEvent({ seq: 4, path })];
  expect(await sampleFile({ folder, samples }, 4)).toBe(path);
  expect(await sampleFile({ folder, samples }, 5)).toBeNull();
  await rm(path);
  expect(await sampleFile({ folder, samples }, 4)).toBeNull();
});

test('nothing outside of the job’s folder is served, whatever its events say', async () => {
  const parent = await tempFolder();
  const { folder } = await jobIn(parent, 'job');
  const other = await jobIn(parent, 'job-2');
  const secret = join(parent, 'secret.png');
  await writeFile(secret, 'secret');
  const link = join(folder, 'samples', 'link.png');
  await symlink(secret, link);
  await writeFile(join(folder, 'job.json'), '{}');
  const linked = join(folder, 'samples', 'linked');
  await symlink(join(parent, 'job-2'), linked);
  const outside = [
    secret,
    link,
    join(linked, 'samples', '1.png'),
    other.path,
    `${folder}/samples/../../secret.png`,
    folder,
    join(folder, 'job.json'),
    '\\\\host\\share\\1.png',
    'secret.png',
    '',
  ];
  for (const path of outside) {
    const samples = [sampleEvent({ seq: 1, path })];
    expect(await sampleFile({ folder, samples }, 1), path).toBeNull();
  }
});

test('a job whose own folder is reached through a link shows its samples', async () => {
  const parent = await tempFolder();
  await jobIn(parent, 'job');
  await symlink(join(parent, 'job'), join(parent, 'link'));
  const folder = join(parent, 'link');
  const samples = [sampleEvent({ seq: 1, path: join(folder, 'samples', '1.png') })];
  expect(await sampleFile({ folder, samples }, 1)).toBe(join(parent, 'job', 'samples', '1.png'));
});

test('an earlier run shows its samples under its own name only', async () => {
  const home = await tempFolder();
  const logs = join(home, 'log');
  const prompts = { first: { sample_prompts: 'a\n# b\nc' }, second: {} };
  for (const [name, config] of Object.entries(prompts)) {
    const { folder, path } = await jobIn(logs, name);
    const job = { id: name, kind: 'train', name, createdAt: '2026-01-01', config };
    await writeFile(join(folder, 'job.json'), JSON.stringify(job));
    const events: JobEvent[] = [
      sampleEvent({ seq: name === 'first' ? 1 : 2, path }),
      { type: 'finished', v: 1, seq: 3, time: 3, outcome: 'completed', outputs: [] },
    ];
    const lines = events.map((event) => `${JSON.stringify(event)}\n`);
    await writeFile(join(folder, 'events.jsonl'), lines.join(''));
  }
  const log = recordingLog();
  const recentLogs = createRecentLogs(join(home, 'recent.json'), log);
  await recentLogs.remember(logs);
  const service = new JobService({
    locations: locateFakeBridge('normal'),
    appVersion: '0.0.0',
    recentLogs,
    log,
    listener: { onChanged: () => undefined, onEvents: () => undefined },
  });
  onTestFinished(() => service.dispose());
  await service.attachAll();

  expect(await service.sampleFile('first', 1)).toBe(join(logs, 'first', 'samples', '1.png'));
  expect(await service.sampleFile('second', 2)).toBe(join(logs, 'second', 'samples', '1.png'));
  expect(await service.sampleFile('first', 2)).toBeNull();
  expect(await service.sampleFile('second', 1)).toBeNull();
  expect(await service.sampleFile('third', 1)).toBeNull();
  expect(service.get('first').samplePrompts).toBe(2);
  expect(service.get('second').samplePrompts).toBe(0);
});

describe('pictures', () => {
  const text = (picture: SamplePicture | null) =>
    picture && [picture.type, picture.content.toString()];

  async function makeSamples(facts: () => Promise<PictureFacts>) {
    const { path } = await jobIn(await tempFolder(), 'whole');
    const made = new Set<string>();
    const asked = vi.fn(async (id: string) => {
      const answer = await facts();
      made.add(id);
      return answer;
    });
    const samples = new Samples((_, seq) => Promise.resolve(seq === 1 ? path : null), {
      facts: asked,
      find: (id) => Promise.resolve(made.has(id) ? Buffer.from('small') : null),
    });
    return { samples, asked, path };
  }
  const facts: PictureFacts = { width: 8, height: 8, format: 'png', problem: null };

  test('are made small once, and whole again where they are asked for so', async () => {
    const { samples, asked, path } = await makeSamples(() => Promise.resolve(facts));
    expect(text(await samples.small('job', 1))).toEqual(['image/webp', 'small']);
    expect(text(await samples.small('job', 1))).toEqual(['image/webp', 'small']);
    expect(asked).toHaveBeenCalledTimes(1);
    await samples.small('other', 1);
    expect(asked).toHaveBeenCalledTimes(2);
    expect(text(await samples.whole('job', 1))).toEqual(['image/png', 'whole']);
    expect(await samples.small('job', 2)).toBeNull();
    expect(await samples.whole('job', 2)).toBeNull();
    await rm(path);
    expect(await samples.whole('job', 1)).toBeNull();
  });

  test('are shown whole when the bridge makes none small', async () => {
    const { samples } = await makeSamples(() => Promise.reject(new Error('The bridge is gone.')));
    expect(text(await samples.small('job', 1))).toEqual(['image/png', 'whole']);
  });

  test('do not wait for a bridge that has many to do', async () => {
    let answer: (value: PictureFacts) => void = () => undefined;
    const first = new Promise<PictureFacts>((resolve) => {
      answer = resolve;
    });
    const { samples, asked } = await makeSamples(() => first);
    const waiting = Array.from({ length: 16 }, (_, job) => samples.small(`${job}`, 1));
    await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(16));
    expect(text(await samples.small('late', 1))).toEqual(['image/png', 'whole']);
    answer(facts);
    for (const picture of await Promise.all(waiting))
      expect(text(picture)).toEqual(['image/webp', 'small']);
    expect(text(await samples.small('late', 1))).toEqual(['image/webp', 'small']);
  });
});
