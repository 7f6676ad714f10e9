import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readConfigFile } from '../../../electron/cli/config-file';
import { parseEventLine } from '../../../electron/services/job-events';
import { readJob } from '../../../electron/services/job-folder';
import { configOfDraft } from '../../../electron/services/sample-project';
import { SettingsService } from '../../../electron/services/settings';
import { defaultTrainConfig, trainConfigSchema } from '../../../shared/parameters';
import { emptyProject, trainDraftSchema } from '../../../shared/settings';
import { recordingLog } from '../../fakes/recording-log';
import { tempFolder } from '../../fakes/temp-folder';

/** What version 0.1 wrote before there were parameters for captions, pictures, noise, loss, memory and validation. */
const earlier = join(import.meta.dirname, '../../fixtures/earlier/job.json');

const earlierConfig = async (): Promise<Record<string, unknown>> => {
  const job = JSON.parse(await readFile(earlier, 'utf8')) as { config: Record<string, unknown> };
  expect(job.config).not.toHaveProperty('min_snr_gamma');
  return job.config;
};

test('the settings of a project are completed with the defaults', async () => {
  const folder = await tempFolder();
  const training = trainDraftSchema.parse(await earlierConfig());
  const settings = {
    schemaVersion: 1,
    theme: 'dark',
    lastTab: 'training',
    project: { ...emptyProject, training },
  };
  await writeFile(join(folder, 'settings.json'), JSON.stringify(settings));
  const service = await SettingsService.open({
    path: join(folder, 'settings.json'),
    initial: () => Promise.reject(new Error('a file that can be read is read')),
    log: recordingLog(),
  });
  expect(service.setAside).toBeNull();
  const config = configOfDraft(service.get().project.training);
  expect(trainConfigSchema.parse(config)).toEqual({ ...defaultTrainConfig, ...training });
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

test('the plan of a run had no pictures for a validation', () => {
  const plan = {
    buckets: [{ resolution: [1024, 1024], count: 200 }],
    concepts: [],
    images: 10,
    regularizationImages: 0,
    batchesPerEpoch: 200,
    stepsPerEpoch: 200,
    epochs: 5,
    totalSteps: 1000,
    warnings: [],
  };
  const line = { type: 'plan', v: 1, seq: 1, time: 1 };
  expect(parseEventLine(JSON.stringify({ ...line, plan }))).toEqual({
    kind: 'event',
    event: { ...line, plan: { ...plan, validationImages: 0 } },
  });
  expect(parseEventLine(JSON.stringify({ ...line, plan: null })).kind).toBe('bad');
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
