import { describe, expect, test } from 'vitest';
import { defaultTrainConfig, type TrainConfig } from '../../../shared/parameters';
import type { Plan } from '../../../shared/protocol';
import {
  estimateTime,
  meanPixels,
  runSpeedSchema,
  speedOf,
  type RunSpeed,
} from '../../../shared/time-estimate';

const bucket = (width: number, height: number, count: number): Plan['buckets'][number] => ({
  resolution: [width, height],
  count,
  images: count,
  batches: count,
  short: false,
  enlarged: 0,
});

const planOf = (totalSteps: number, side = 1000): Plan => ({
  buckets: [bucket(side, side, 20)],
  concepts: [],
  images: 10,
  regularizationImages: 0,
  validationImages: 0,
  batchesPerEpoch: 20,
  stepsPerEpoch: 20,
  stepsWithoutRegularization: 20,
  epochs: 1,
  totalSteps,
  enlargedImages: 0,
  uncaptionedImages: 0,
  files: {
    checkpoints: 1,
    checkpointsKept: 1,
    checkpointBytes: null,
    states: 0,
    stateBytes: null,
    samples: 0,
    samplesBytes: 0,
    disks: [],
  },
  warnings: [],
});

const config: TrainConfig = {
  ...defaultTrainConfig,
  pretrained_model_name_or_path: '/m/sdxl.safetensors',
  train_batch_size: 1,
  gradient_accumulation_steps: 1,
  gradient_checkpointing: false,
};

const run = (changes: Partial<TrainConfig> = {}, rest: Partial<RunSpeed> = {}): RunSpeed => ({
  ...speedOf(
    { ...config, ...changes },
    {
      name: 'nova',
      createdAt: '2026-11-20T10:00:00Z',
      device: 'RTX',
      secondsPerStep: 0.5,
      pixels: 1e6,
    },
  ),
  ...rest,
});

test('a run like an earlier one takes its time for each step', () => {
  expect(estimateTime(config, planOf(1000), [run()])).toMatchObject({
    seconds: 500,
    secondsPerStep: 0.5,
    scaledBy: [],
    notReckoned: [],
  });
});

test('nothing is guessed from runs of another model, precision or machine', () => {
  const others = [
    run({ pretrained_model_name_or_path: '/m/tiny' }),
    run({ mixed_precision: 'no' }),
    run({ quantize_base_model: 'nf4' }),
    run({ num_processes: 2 }),
  ];
  for (const other of others) expect(estimateTime(config, planOf(10), [other])).toBeNull();
  expect(estimateTime(config, planOf(10), [])).toBeNull();
  const newest = run({ mixed_precision: 'no' }, { device: 'another card' });
  expect(estimateTime(config, planOf(10), [newest, run()])).toBeNull();
});

test('what differs is scaled by, and said', () => {
  const now = { ...config, train_batch_size: 4, gradient_checkpointing: true };
  const estimate = estimateTime(now, planOf(100, 500), [run()]);
  expect(estimate?.secondsPerStep).toBeCloseTo(0.5 * 4 * 1.4 * 0.25);
  expect(estimate?.scaledBy).toEqual(['batch 1 → 4', 'checkpointing none → full', 'picture size']);
  expect(estimate?.notReckoned).toEqual([]);
});

test('what nobody can scale by is named', () => {
  const now = { ...config, optimizer: 'Prodigy', text_encoder_lr: 1e-4 };
  expect(estimateTime(now, planOf(100), [run()])?.notReckoned).toEqual([
    'Optimizer',
    'Text encoder training',
  ]);
});

test('the run that is most alike counts, and of those the newest', () => {
  const runs = [
    run({ optimizer: 'Lion' }, { name: 'newest' }),
    run({ train_batch_size: 2 }, { name: 'batch of two' }),
    run({}, { name: 'alike' }),
    run({}, { name: 'older' }),
  ];
  expect(estimateTime(config, planOf(1), runs)?.run.name).toBe('alike');
  expect(estimateTime(config, planOf(1), runs.slice(0, 2))?.run.name).toBe('batch of two');
});

describe('what is kept of a run', () => {
  test('goes through the channel as it is', () => {
    expect(runSpeedSchema.parse(run())).toEqual(run());
    expect(run().config).not.toHaveProperty('output_dir');
  });

  test('its pictures’ size is weighed by how often they are shown', () => {
    expect(meanPixels({ buckets: [bucket(10, 10, 3), bucket(20, 20, 1)] })).toBe(175);
    expect(meanPixels({ buckets: [] })).toBe(0);
  });
});
