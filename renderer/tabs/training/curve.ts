import type { LossPoint, ValidationPoint } from '../../../shared/job-view';

/** The loss curve in numbers: smoothing, and the few points of many that a screen can show. */

/** One value per point; NaN where the loss was not a finite number. */
export interface Curve {
  readonly steps: Float64Array;
  readonly raw: Float64Array;
  /** Means over an epoch's worth of steps. */
  readonly average: Float64Array;
}

export function curveOf(points: readonly LossPoint[]): Curve {
  return {
    steps: Float64Array.from(points, ({ step }) => step),
    raw: Float64Array.from(points, ({ loss }) => loss ?? NaN),
    average: Float64Array.from(points, ({ averageLoss }) => averageLoss ?? NaN),
  };
}

/**
 * The validation losses at the places of the steps after which they were computed, NaN everywhere else. One whose step
 * is not among `steps`, which ascend, stands at the next.
 */
export function atSteps(
  steps: Float64Array,
  validations: readonly ValidationPoint[],
): Float64Array {
  const placed = new Float64Array(steps.length).fill(NaN);
  for (const { step, loss } of validations)
    if (loss !== null && steps.length > 0)
      placed[Math.min(visibleRange(steps, step, step)[0], steps.length - 1)] = loss;
  return placed;
}

/** The indices of `shown` and those in [start, end) at which `values` has one, in order. */
export function withValues(
  shown: readonly number[],
  values: Float64Array,
  start: number,
  end: number,
): readonly number[] {
  const all = new Set(shown);
  for (let index = start; index < end; index += 1)
    if (!Number.isNaN(values[index] ?? NaN)) all.add(index);
  return [...all].sort((a, b) => a - b);
}

/**
 * Exponential moving average with bias correction, as Adam's (Kingma and Ba 2015, algorithm 1), so that the first
 * values are not pulled towards 0. `weight` is the share of the past, in [0, 1). NaN values are passed over.
 */
export function smooth(values: Float64Array, weight: number): Float64Array {
  const smoothed = new Float64Array(values.length).fill(NaN);
  let average = 0;
  let bias = 1;
  values.forEach((value, index) => {
    if (Number.isNaN(value)) return;
    average = weight * average + (1 - weight) * value;
    bias *= weight;
    smoothed[index] = average / (1 - bias);
  });
  return smoothed;
}

/** Indices of `sorted` from the first value that is at least `from` to the last that is at most `to`; end exclusive. */
export function visibleRange(sorted: Float64Array, from: number, to: number): [number, number] {
  const firstAtLeast = (bound: number) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? Infinity) < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const start = firstAtLeast(from);
  let end = firstAtLeast(to);
  if (sorted[end] === to) end += 1;
  return [start, end];
}

/**
 * Indices in [start, end) that draw the same picture as all of them: the smallest and the largest value of each of
 * `limit / 2` equal stretches. The ends are always among them. All indices when there are no more than `limit`.
 */
export function decimate(
  values: Float64Array,
  start: number,
  end: number,
  limit: number,
): readonly number[] {
  const count = end - start;
  if (count <= limit) return Array.from({ length: Math.max(count, 0) }, (_, at) => start + at);
  const kept = new Set<number>([start, end - 1]);
  const stretches = Math.max(1, Math.floor(limit / 2) - 1);
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const from = start + Math.floor((stretch * count) / stretches);
    const to = start + Math.floor(((stretch + 1) * count) / stretches);
    for (const index of extremes(values, from, to)) kept.add(index);
  }
  return [...kept].sort((a, b) => a - b);
}

function extremes(values: Float64Array, from: number, to: number): readonly number[] {
  let smallest = -1;
  let largest = -1;
  for (let index = from; index < to; index += 1) {
    const value = values[index] ?? NaN;
    if (Number.isNaN(value)) continue;
    if (smallest < 0 || value < (values[smallest] ?? NaN)) smallest = index;
    if (largest < 0 || value > (values[largest] ?? NaN)) largest = index;
  }
  // A stretch of nothing but NaN keeps one of them, so that the gap stays a gap.
  return smallest < 0 ? [from] : [smallest, largest];
}

/** As uPlot wants it: gaps are null. */
export const pick = (values: Float64Array, indices: readonly number[]): (number | null)[] =>
  indices.map((index) => {
    const value = values[index];
    return value === undefined || Number.isNaN(value) ? null : value;
  });
