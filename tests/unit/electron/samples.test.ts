import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { JobService } from '../../../electron/services/jobs';
import { createRecentLogs } from '../../../electron/services/recent-logs';
import { readSample } from '../../../electron/services/samples';
import type { JobEvent } from '../../../shared/protocol';
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

test('a sample is read by its number', async () => {
  const { folder, path } = await jobIn(await tempFolder(), 'job');
  const samples = [sampleEvent({ seq: 4, path })];
  expect((await readSample({ folder, samples }, 4))?.toString()).toBe('job');
  expect(await readSample({ folder, samples }, 5)).toBeNull();
  await rm(path);
  expect(await readSample({ folder, samples }, 4)).toBeNull();
});

test('nothing outside of the job’s folder is read, whatever its events say', async () => {
  const parent = await tempFolder();
  const { folder } = await jobIn(parent, 'job');
  const other = await jobIn(parent, 'job-2');
  const secret = join(parent, 'secret.png');
  await writeFile(secret, 'secret');
  const link = join(folder, 'samples', 'link.png');
  await symlink(secret, link);
  const linked = join(folder, 'linked');
  await symlink(join(parent, 'job-2'), linked);
  const outside = [
    secret,
    link,
    join(linked, 'samples', '1.png'),
    other.path,
    `${folder}/samples/../../secret.png`,
    folder,
    'secret.png',
    '',
  ];
  for (const path of outside) {
    const samples = [sampleEvent({ seq: 1, path })];
    expect(await readSample({ folder, samples }, 1), path).toBeNull();
  }
});

test('a job whose own folder is reached through a link shows its samples', async () => {
  const parent = await tempFolder();
  await jobIn(parent, 'job');
  await symlink(join(parent, 'job'), join(parent, 'link'));
  const folder = join(parent, 'link');
  const samples = [sampleEvent({ seq: 1, path: join(folder, 'samples', '1.png') })];
  expect((await readSample({ folder, samples }, 1))?.toString()).toBe('job');
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

  expect((await service.sample('first', 1))?.toString()).toBe('first');
  expect((await service.sample('second', 2))?.toString()).toBe('second');
  expect(await service.sample('first', 2)).toBeNull();
  expect(await service.sample('second', 1)).toBeNull();
  expect(await service.sample('third', 1)).toBeNull();
  expect(service.get('first').samplePrompts).toBe(2);
  expect(service.get('second').samplePrompts).toBe(0);
});
