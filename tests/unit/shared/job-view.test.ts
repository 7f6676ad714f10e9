import { expect, test } from 'vitest';
import { applyEvents, newJobView, summaryOf } from '../../../shared/job-view';
import type { JobEvent } from '../../../shared/protocol';
import { samplePromptLines } from '../../../shared/sample-prompts';
import { sampleEvent } from '../../fakes/sample-event';

const view = newJobView(
  { id: 'job', kind: 'train', name: 'nova', createdAt: '', samplePrompts: 2 },
  '/log/job',
);

test('samples are kept in the order in which they arrive, each once', () => {
  const [first, second, third] = [1, 2, 3].map((seq) => sampleEvent({ seq }));
  if (!first || !second || !third) throw new Error('three were made');
  const drawn = applyEvents(applyEvents(view, [first, second]), [second, third]);
  expect(drawn.samples).toEqual([first, second, third]);
  expect(drawn.lastSeq).toBe(3);
});

test('events of other kinds leave the very same samples, so that nothing is drawn anew', () => {
  const drawn = applyEvents(view, [sampleEvent()]);
  expect(applyEvents(drawn, [{ type: 'heartbeat', v: 1, seq: 2, time: 2 }]).samples).toBe(
    drawn.samples,
  );
});

test('validations are kept in their order, apart from the losses of the steps', () => {
  const event = (seq: number, step: number, loss: number | null): JobEvent => ({
    type: 'validation',
    v: 1,
    seq,
    time: seq,
    step,
    epoch: 1,
    loss,
  });
  const once = applyEvents(view, [event(1, 40, 0.2)]);
  const twice = applyEvents(once, [event(1, 40, 0.2), event(2, 80, null)]);
  expect(twice.validations).toEqual([
    { step: 40, loss: 0.2 },
    { step: 80, loss: null },
  ]);
  expect(twice.points).toBe(view.points);
  expect(applyEvents(twice, [sampleEvent({ seq: 3 })]).validations).toBe(twice.validations);
  expect(summaryOf(twice)).not.toHaveProperty('validations');
});

test('a list carries no samples, but how many prompts there are', () => {
  const summary = summaryOf(applyEvents(view, [sampleEvent()]));
  expect(summary).not.toHaveProperty('samples');
  expect(summary.samplePrompts).toBe(2);
});

test('prompts are the lines that are neither blank nor comments', () => {
  expect(samplePromptLines('')).toEqual([]);
  expect(samplePromptLines('  a cat --w 64\r\n\r\n# off\n #off too\n写真 # not a comment')).toEqual(
    ['a cat --w 64', '写真 # not a comment'],
  );
});
