import { describe, expect, it } from 'vitest';
import {
  atSteps,
  curveOf,
  decimate,
  pick,
  smooth,
  visibleRange,
  withValues,
} from '../../../renderer/tabs/training/curve';

const of = (...values: number[]) => Float64Array.from(values);

describe('smooth', () => {
  it('leaves a constant curve as it is, from the first value on', () => {
    for (const value of smooth(of(0.2, 0.2, 0.2), 0.9)) expect(value).toBeCloseTo(0.2, 12);
  });

  it('is the bias-corrected moving average', () => {
    const [first, second] = smooth(of(1, 3), 0.5);
    expect(first).toBe(1);
    expect(second).toBeCloseTo((0.5 * 0.5 * 1 + 0.5 * 3) / (1 - 0.25), 12);
  });

  it('follows the values exactly without a past', () => {
    expect([...smooth(of(1, 5, 2), 0)]).toEqual([1, 5, 2]);
  });

  it('passes over what is no number', () => {
    const smoothed = smooth(of(1, NaN, 1), 0.9);
    expect(smoothed[1]).toBeNaN();
    expect(smoothed[2]).toBeCloseTo(1, 12);
  });
});

describe('decimate', () => {
  const wave = Float64Array.from({ length: 100_000 }, (_, index) => Math.sin(index / 50));

  it('keeps everything that fits', () => {
    expect(decimate(of(3, 1, 2), 0, 3, 5)).toEqual([0, 1, 2]);
  });

  it('keeps within its limit, in order, with both ends', () => {
    const kept = decimate(wave, 0, wave.length, 1000);
    expect(kept.length).toBeLessThanOrEqual(1000);
    expect(kept.length).toBeGreaterThan(500);
    expect(kept[0]).toBe(0);
    expect(kept.at(-1)).toBe(wave.length - 1);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
  });

  it('never loses a peak', () => {
    const flat = new Float64Array(50_000).fill(0.1);
    flat[31_337] = 9;
    flat[12_345] = -9;
    const kept = decimate(flat, 0, flat.length, 200);
    expect(kept).toContain(31_337);
    expect(kept).toContain(12_345);
  });

  it('keeps a gap a gap', () => {
    const values = new Float64Array(10_000).fill(1);
    values.fill(NaN, 4000, 6000);
    const shown = pick(values, decimate(values, 0, values.length, 100));
    expect(shown).toContain(null);
  });

  it('looks only at what is asked for', () => {
    const kept = decimate(wave, 500, 700, 50);
    expect(Math.min(...kept)).toBe(500);
    expect(Math.max(...kept)).toBe(699);
  });
});

describe('visibleRange', () => {
  const steps = of(10, 20, 30, 40);
  it.each([
    [10, 40, 0, 4],
    [15, 35, 1, 3],
    [20, 20, 1, 2],
    [50, 60, 4, 4],
    [0, 5, 0, 0],
  ])('of %d to %d is %d to %d', (from, to, start, end) => {
    expect(visibleRange(steps, from, to)).toEqual([start, end]);
  });
});

describe('validation losses', () => {
  const steps = of(10, 20, 30);

  it('stand at the step after which they were computed', () => {
    expect([...atSteps(steps, [{ step: 20, loss: 0.5 }])]).toEqual([NaN, 0.5, NaN]);
  });

  it('stand at the next step, or the last, where theirs is not known', () => {
    const losses = [
      { step: 15, loss: 0.5 },
      { step: 99, loss: 0.25 },
    ];
    expect([...atSteps(steps, losses)]).toEqual([NaN, 0.5, 0.25]);
    expect([...atSteps(of(), losses)]).toEqual([]);
  });

  it('are left out where they were no number', () => {
    expect([...atSteps(of(1), [{ step: 1, loss: null }])]).toEqual([NaN]);
  });

  it('are never thinned out', () => {
    const placed = new Float64Array(1000).fill(NaN);
    placed[123] = 0.5;
    placed[998] = 0.5;
    expect(withValues([0, 500, 999], placed, 0, 1000)).toEqual([0, 123, 500, 998, 999]);
    expect(withValues([0, 500], placed, 0, 600)).toEqual([0, 123, 500]);
  });
});

it('draws a loss that was not finite as a gap', () => {
  const { steps, raw, average } = curveOf([
    { step: 1, loss: 0.5, averageLoss: null, learningRate: 1 },
    { step: 2, loss: null, averageLoss: 0.6, learningRate: 1 },
  ]);
  expect([...steps]).toEqual([1, 2]);
  expect(pick(raw, [0, 1])).toEqual([0.5, null]);
  expect(pick(average, [0, 1])).toEqual([null, 0.6]);
});
