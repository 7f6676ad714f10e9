import { expect, onTestFinished, test, vi } from 'vitest';
import { throttled } from '../../../electron/lib/throttled';

test('progress is told at once, then at most once an interval, and at the end', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const told: number[] = [];
  const report = throttled<{ done: number; total: number }>(100, ({ done }) => told.push(done));
  for (const done of [1, 2, 3]) report({ done, total: 6 });
  vi.advanceTimersByTime(100);
  for (const done of [4, 5, 6]) report({ done, total: 6 });
  expect(told).toEqual([1, 4, 6]);
});
