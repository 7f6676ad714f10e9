import { describe, expect, test } from 'vitest';
import {
  barOf,
  decisive,
  howCounted,
  tightest,
  valuesOf,
  verdict,
} from '../../../renderer/tabs/parameters/memory/memory';
import type { Device } from '../../../shared/protocol';
import type { Memory } from '../../../shared/worker-protocol';

const gib = 2 ** 30;
const card: Device = { kind: 'cuda', name: 'RTX 4060', memoryBytes: 8 * gib };
const cpu: Device = { kind: 'cpu', name: 'EPYC', memoryBytes: 16 * gib };

const memory: Memory = {
  parts: { weights: 5 * gib, adapter: gib, optimizer: gib, activations: 2 * gib, libraries: gib },
  phases: [
    { phase: 'loading_model', bytes: 11 * gib, fileBytes: 5 * gib },
    { phase: 'training', bytes: 10 * gib, fileBytes: 0 },
    { phase: 'saving', bytes: 8 * gib, fileBytes: 0 },
  ],
  peakBytes: 11 * gib,
  neededBytes: 10 * gib,
  memoryBytes: 8 * gib,
  fits: false,
  batch: 2,
  pixels: 1024 * 1024,
  fit: [],
  leastBytes: 3 * gib,
};

describe('bar', () => {
  test('what does not fit fills the bar and the memory ends within it', () => {
    const { segments, limit } = barOf(memory);
    expect(segments.map(({ key, share }) => [key, share])).toEqual([
      ['libraries', 0.1],
      ['weights', 0.5],
      ['adapter', 0.1],
      ['optimizer', 0.1],
      ['activations', 0.2],
    ]);
    expect(limit).toBe(0.8);
  });

  test('what fits leaves the rest of the memory free', () => {
    const { segments, limit } = barOf({ ...memory, memoryBytes: 20 * gib });
    expect(segments.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(0.5);
    expect(limit).toBe(1);
  });

  test('where the memory is not known there is no end of it', () => {
    expect(barOf({ ...memory, memoryBytes: null }).limit).toBeNull();
  });
});

test('the phase that decides needs most once the file is given back', () => {
  expect(decisive(memory)).toBe('training');
});

test('the device with the least memory counts', () => {
  const small = { ...card, memoryBytes: 4 * gib };
  expect(tightest([card, small, { ...card, memoryBytes: null }])).toBe(small);
  expect(tightest([])).toBeNull();
});

test('it is said what is needed, what is there and whether it fits', () => {
  expect(verdict(memory, card)).toBe('Needs 10.0 GB. RTX 4060 has 8.0 GB. It does not fit.');
  const fitting = { ...memory, memoryBytes: 16 * gib, fits: true };
  expect(verdict(fitting, cpu)).toBe('Needs 10.0 GB. This machine has 16.0 GB. It fits.');
  expect(verdict({ ...memory, memoryBytes: null, fits: null }, card)).toBe('Needs 10.0 GB.');
});

test('it is said how it was counted', () => {
  expect(howCounted(memory, card)).toContain('2 pictures of 1.0 megapixels');
  expect(howCounted({ ...memory, batch: 1 }, cpu)).toContain('1 picture of 1.0 megapixels');
  expect(howCounted(memory, cpu)).toContain('whole process');
});

test('all values of all changes are made', () => {
  const change = { advice: '', cost: '' };
  const changes = [
    { ...change, values: { gradient_checkpointing: true, checkpointing_method: 'full' } },
    { ...change, values: {} },
    { ...change, values: { network_dim: 16 } },
  ];
  expect(valuesOf(changes)).toEqual([
    ['gradient_checkpointing', true],
    ['checkpointing_method', 'full'],
    ['network_dim', 16],
  ]);
});
