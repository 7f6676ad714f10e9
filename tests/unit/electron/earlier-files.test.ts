import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readConfigFile } from '../../../electron/cli/config-file';
import { parseEventLine } from '../../../electron/services/job-events';
import { readJob, readWholeJob } from '../../../electron/services/job-folder';
import { configOfDraft } from '../../../electron/services/sample-project';
import { SettingsService } from '../../../electron/services/settings';
import { applyEvents, newJobView } from '../../../shared/job-view';
import { defaultTrainConfig, trainConfigSchema } from '../../../shared/parameters';
import { trainDraftSchema } from '../../../shared/settings';
import { recordingLog } from '../../fakes/recording-log';
import { tempFolder } from '../../fakes/temp-folder';

/** What version 0.1 wrote before there were parameters for captions, pictures, noise, loss, memory and validation. */
const fixtures = join(import.meta.dirname, '../../fixtures/earlier');
const earlier = join(fixtures, 'job.json');

const earlierConfig = async (): Promise<Record<string, unknown>> => {
  const job = JSON.parse(await readFile(earlier, 'utf8')) as { config: Record<string, unknown> };
  expect(job.config).not.toHaveProperty('min_snr_gamma');
  return job.config;
};

const openSettings = (folder: string) =>
  SettingsService.open({
    path: join(folder, 'settings.json'),
    initial: () => Promise.reject(new Error('a file that can be read is read')),
    log: recordingLog(),
  });

test('the settings of a project are completed with the defaults', async () => {
  const folder = await tempFolder();
  const training = trainDraftSchema.parse(await earlierConfig());
  const text = await readFile(join(fixtures, 'settings.json'), 'utf8');
  const settings = JSON.parse(text) as { project: object };
  const project = { ...settings.project, training };
  await writeFile(join(folder, 'settings.json'), JSON.stringify({ ...settings, project }));
  const service = await openSettings(folder);
  expect(service.setAside).toBeNull();
  const config = configOfDraft(service.get().project.training);
  expect(trainConfigSchema.parse(config)).toEqual({ ...defaultTrainConfig, ...training });
});

test('a project of one concept is the first of several', async () => {
  const folder = await tempFolder();
  await copyFile(join(fixtures, 'settings.json'), join(folder, 'settings.json'));
  const service = await openSettings(folder);
  expect(service.setAside).toBeNull();
  expect(service.get()).toMatchObject({
    schemaVersion: 2,
    theme: 'dark',
    recentModels: ['/models/sd_xl_base_1.0.safetensors'],
    project: { training: { epoch: 5 } },
  });
  expect(service.get().project.dataset).toEqual({
    concepts: [
      {
        instancePrompt: 'rihanna',
        classPrompt: 'woman',
        folders: ['/photos/rihanna'],
        files: [],
        repeats: 20,
        regularizationFolder: '/photos/women',
        regularizationRepeats: 1,
      },
    ],
    destination: '/projects/rihanna',
    transfer: 'copy',
  });
});

test('the job of a run is found under its name', async () => {
  const folder = await tempFolder();
  await copyFile(earlier, join(folder, 'job.json'));
  expect(await readJob(folder)).toEqual({
    id: 'nova-1',
    kind: 'train',
    name: 'nova',
    createdAt: '2026-11-20T10:00:00.000Z',
    samplePrompts: 2,
  });
});

test('every event of a run is read: what was not told then is not known', async () => {
  const text = await readFile(join(fixtures, 'events.jsonl'), 'utf8');
  expect(text).not.toContain('averageLoss');
  const lines = text.trim().split('\n').map(parseEventLine);
  const events = lines.flatMap((line) => (line.kind === 'event' ? [line.event] : []));
  expect(events).toHaveLength(lines.length);
  const head = { id: 'a', kind: 'train', name: 'nova', createdAt: '', samplePrompts: 0 } as const;
  const view = applyEvents(newJobView(head, '/log/a'), events);
  expect(view).toMatchObject({ status: { kind: 'stopped' }, state: null, resumed: null });
  expect(view.plan).toMatchObject({ images: 10, validationImages: 0 });
  expect(view.points).toEqual([
    { step: 1, loss: 0.1234, averageLoss: null, learningRate: 0.0003 },
    { step: 2, loss: null, averageLoss: null, learningRate: 0.0003 },
  ]);
  expect(view.lastStep).toMatchObject({
    rates: [{ name: 'unet', value: 0.0003 }],
    keyNorms: null,
    imagesPerSecond: 0,
  });
});

test('an event that is broken is not completed', () => {
  const line = { type: 'plan', v: 1, seq: 1, time: 1 };
  expect(parseEventLine(JSON.stringify({ ...line, plan: null })).kind).toBe('bad');
  expect(parseEventLine(JSON.stringify({ ...line, type: 'step', step: 1 })).kind).toBe('bad');
});

test('the job of a run is completed with the defaults when it is gone on with', async () => {
  const folder = await tempFolder();
  await copyFile(earlier, join(folder, 'job.json'));
  const job = await readWholeJob(folder);
  expect(job).toMatchObject({ id: 'nova-1', kind: 'train', appVersion: '0.1.0' });
  expect(job.config).toEqual({ ...defaultTrainConfig, ...(await earlierConfig()) });
});

test('the job of a later version is refused by the name of what is not known', async () => {
  const folder = await tempFolder();
  const job = JSON.parse(await readFile(earlier, 'utf8')) as { config: object };
  const later = { ...job, config: { ...job.config, a_key_of_the_future: 1 } };
  await writeFile(join(folder, 'job.json'), JSON.stringify(later));
  await expect(readWholeJob(folder)).rejects.toMatchObject({
    problem: { code: 'job_unreadable', message: expect.stringContaining('a_key_of_the_future') },
  });
  await expect(readWholeJob(join(folder, 'none'))).rejects.toMatchObject({
    problem: { code: 'job_unreadable', message: expect.stringContaining('cannot be read') },
  });
});

test('`train` takes the config of a run', async () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const folder = await tempFolder();
  const file = join(folder, 'config.json');
  const config = await earlierConfig();
  await writeFile(file, JSON.stringify(config));
  const read = await readConfigFile(file);
  const text = said.mock.calls.join('');
  said.mockRestore();
  expect(read).toMatchObject({ epoch: 5, network_dim: 8, unet_lr: null, seed: 7 });
  expect(read.min_snr_gamma).toBe(defaultTrainConfig.min_snr_gamma);
  expect(trainConfigSchema.safeParse(read).success).toBe(true);
  expect(text).toContain('min_snr_gamma');
  expect(text).not.toContain('Changed');
});
