import { expect, test } from 'vitest';
import { cutShare } from '../../../renderer/components/cut';
import {
  filesFigures,
  imagesFigure,
  regularizationFigure,
  stepsFigure,
  timeFigure,
} from '../../../renderer/tabs/parameters/plan/figures';
import { defaultTrainConfig } from '../../../shared/parameters';
import type { Plan } from '../../../shared/protocol';
import { speedOf } from '../../../shared/time-estimate';

const plan: Plan = {
  buckets: [
    { resolution: [1024, 1024], count: 200, images: 10, batches: 50, short: false, enlarged: 0 },
    { resolution: [896, 1152], count: 1, images: 1, batches: 1, short: true, enlarged: 1 },
  ],
  concepts: [
    { folder: '/p/a', prompt: 'a', repeats: 20, regularization: false, images: 10 },
    { folder: '/p/b', prompt: 'b', repeats: 1, regularization: false, images: 1 },
  ],
  images: 11,
  regularizationImages: 0,
  validationImages: 2,
  batchesPerEpoch: 51,
  stepsPerEpoch: 26,
  stepsWithoutRegularization: 26,
  epochs: 10,
  totalSteps: 260,
  enlargedImages: 1,
  uncaptionedImages: 3,
  files: {
    checkpoints: 10,
    checkpointsKept: 4,
    checkpointBytes: 170_000_000,
    states: 2,
    stateBytes: null,
    samples: 33,
    samplesBytes: 40_000_000,
    disks: [{ folder: '/p/model', needBytes: 2e9, freeBytes: 1e9 }],
  },
  warnings: [],
};

test('steps say how they come about', () => {
  const config = { ...defaultTrainConfig, train_batch_size: 4, gradient_accumulation_steps: 2 };
  expect(stepsFigure(plan, config)).toEqual({
    label: 'Steps an epoch',
    value: '26',
    how: '201 pictures shown, each bucket in batches of 4: 51 batches ÷ 2 accumulated',
  });
});

test('what regularization costs is told where there is some', () => {
  expect(regularizationFigure(plan)).toBeNull();
  const regular = { ...plan, regularizationImages: 30, stepsPerEpoch: 100 };
  const figure = regularizationFigure({ ...regular, stepsWithoutRegularization: 50 });
  expect(figure?.value).toBe('50');
  expect(figure?.how).toContain('2.0 times as long');
});

test('pictures that are enlarged, bare or kept back are counted', () => {
  expect(imagesFigure(plan).how).toBe(
    'Each shown 1 to 20 × an epoch. 3 without a caption of their own. 1 enlarged to fill their bucket. 2 more are kept back to validate.',
  );
});

test('a time that is not known is not told', () => {
  expect(timeFigure(null).value).toBe('not known yet');
});

test('a time names the run that it is told from', () => {
  const run = speedOf(defaultTrainConfig, {
    name: 'nova',
    createdAt: '2026-11-20T10:00:00Z',
    device: 'RTX 4090',
    secondsPerStep: 2,
    pixels: 1,
  });
  const estimate = { seconds: 5400, secondsPerStep: 2, run, scaledBy: [], notReckoned: [] };
  expect(timeFigure(estimate)).toEqual({
    label: 'Time',
    value: 'about 1 h 30 min',
    how: '2.00 s/step, as measured in the run nova on RTX 4090. Loading and samples come on top.',
  });
  const scaled = { ...estimate, scaledBy: ['batch 1 → 2'], notReckoned: ['Optimizer'] };
  expect(timeFigure(scaled).how).toBe(
    '2.00 s/step, as measured in the run nova on RTX 4090 and scaled (batch 1 → 2). Not reckoned with: Optimizer. Loading and samples come on top.',
  );
});

test('files have their number and size, disks that are too small stand out', () => {
  const figures = filesFigures(plan);
  expect(figures.map(({ label, value, bad = false }) => [label, value, bad])).toEqual([
    ['LoRA files', '10 × 162 MB', false],
    ['States to go on from', '2', false],
    ['Samples', '33', false],
    ['Room on the disk', '954 MB free', true],
  ]);
  expect(figures[0]?.how).toContain('The newest 4 are kept.');
});

test('what is cut away is told as a share', () => {
  expect(cutShare([100, 80], [80, 80])).toBeCloseTo(0.2);
  expect(cutShare([64, 64], [64, 64])).toBe(0);
});
