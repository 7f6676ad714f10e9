import { expect, test } from 'vitest';
import {
  applyEvents,
  newJobView,
  secondsRun,
  summaryOf,
  type JobView,
} from '../../../shared/job-view';
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

/** A run's events, numbered and dated as they come: a second between two. */
function teller() {
  let seq = 0;
  const told = (fields: object): JobEvent => {
    seq += 1;
    return { v: 1, seq, time: 100 + seq, ...fields } as JobEvent;
  };
  return {
    told,
    hello: () =>
      told({
        type: 'hello',
        protocolVersion: 1,
        pid: 1,
        versions: { python: '', torch: '', diffusers: '', transformers: '' },
        device: { kind: 'cpu', name: '', memoryBytes: null },
      }),
    step: (step: number, loss: number) =>
      told({
        type: 'step',
        step,
        total: 10,
        epoch: Math.ceil(step / 5),
        epochs: 2,
        loss,
        averageLoss: loss,
        learningRate: 1,
        rates: [{ name: 'unet', value: 1 }],
        gradNorm: null,
        keyNorms: null,
        imagesPerSecond: 1,
        secondsPerStep: 2,
        etaSeconds: 2 * (10 - step),
        memoryBytes: 0,
      }),
    validation: (step: number) => told({ type: 'validation', step, epoch: 1, loss: 0.5 }),
    checkpoint: (step: number, path = `/m/${step}`) =>
      told({ type: 'checkpoint', path, bytes: 1, step, epoch: 1, final: false }),
    sample: (step: number) => told(sampleEvent({ seq: seq + 1, time: 101 + seq, step })),
    state: (step: number) => told({ type: 'state', path: `/r/${step}`, bytes: 9, step, epoch: 1 }),
    resumed: (step: number) =>
      told({ type: 'resumed', path: `/r/${step}`, step, epoch: 1, changes: [] }),
    finished: (outcome: string) => told({ type: 'finished', outcome, outputs: [] }),
  };
}

const steps = ({ points }: JobView) => points.map(({ step, loss }) => [step, loss]);

/** However the events are dealt out, the view is the same. */
function applied(events: readonly JobEvent[]): JobView {
  const whole = applyEvents(view, events);
  const one = events.reduce((seen, event) => applyEvents(seen, [event]), view);
  expect(one).toEqual(whole);
  return whole;
}

test('a run that goes on from a state forgets what was told of later steps', () => {
  const run = teller();
  const killed = [
    run.hello(),
    ...[1, 2, 3, 4].map((step) => run.step(step, 0.1)),
    run.validation(2),
    run.sample(2),
    run.checkpoint(2),
    run.state(2),
    run.validation(4),
    run.sample(4),
    run.checkpoint(4),
    run.state(4),
  ];
  const goesOn = [run.hello(), run.resumed(2)];
  const back = applied([...killed, ...goesOn]);
  expect(steps(back)).toEqual([
    [1, 0.1],
    [2, 0.1],
  ]);
  expect(back.validations.map(({ step }) => step)).toEqual([2]);
  expect(back.samples.map(({ step }) => step)).toEqual([2]);
  expect(back.checkpoints.map(({ step }) => step)).toEqual([2]);
  expect(back.state).toEqual({ path: '/r/2', step: 2, epoch: 1, time: 115, bytes: null });
  expect(back.resumed?.step).toBe(2);
  expect(back.lastStep).toMatchObject({ step: 2, loss: 0.1, epoch: 1, total: 10, etaSeconds: 16 });
  expect(back.status.kind).toBe('running');

  const on = applied([...killed, ...goesOn, run.step(3, 0.2), run.state(3)]);
  expect(steps(on).at(-1)).toEqual([3, 0.2]);
  expect(on.state).toMatchObject({ path: '/r/3', bytes: 9 });
});

test('what is told again before it goes on stays', () => {
  const run = teller();
  const told = applied([
    run.hello(),
    run.sample(0),
    run.checkpoint(2),
    ...[1, 2, 3].map((step) => run.step(step, 0.1)),
    run.sample(2),
    run.resumed(3),
    run.step(4, 0.2),
  ]);
  expect(steps(told).map(([step]) => step)).toEqual([1, 2, 3, 4]);
  expect(told.samples).toHaveLength(2);
  expect(told.checkpoints).toHaveLength(1);
});

test('a run that had no state begins again', () => {
  const run = teller();
  const again = applied([
    run.hello(),
    run.step(1, 0.1),
    run.step(2, 0.1),
    run.checkpoint(2),
    run.hello(),
    run.step(1, 0.3),
  ]);
  expect(steps(again)).toEqual([[1, 0.3]]);
  expect(again.checkpoints).toEqual([]);
  expect(again.lastStep?.step).toBe(1);
});

test('a state that is the one that was gone on from keeps its size', () => {
  const run = teller();
  const back = applied([run.hello(), run.step(1, 0), run.state(1), run.hello(), run.resumed(1)]);
  expect(back.state?.bytes).toBe(9);
});

test('each hello begins anew: how it ended before, and its warnings, are past', () => {
  const run = teller();
  const first = [
    run.hello(),
    run.step(1, 0.1),
    run.told({ type: 'warning', problem: { code: 'x', message: 'x' } }),
    run.finished('paused'),
  ];
  expect(applied(first).status.kind).toBe('paused');
  expect(applied(first).warnings).toHaveLength(1);
  expect(applied([...first, run.hello()])).toMatchObject({
    status: { kind: 'running' },
    warnings: [],
    outputs: [],
  });
});

test('a checkpoint that was deleted is not listed, one that was saved again only once', () => {
  const run = teller();
  const events = [
    run.checkpoint(1, '/m/a'),
    run.checkpoint(2, '/m/b'),
    run.checkpoint(3, '/m/b'),
    run.told({ type: 'checkpointRemoved', path: '/m/a' }),
  ];
  const { checkpoints } = applied(events);
  expect(checkpoints.map(({ path, step }) => [path, step])).toEqual([['/m/b', 3]]);
});

test('a pause is not time that it took', () => {
  const run = teller();
  const first = [run.hello(), run.step(1, 0), run.finished('paused')];
  const later = (event: JobEvent): JobEvent => ({ ...event, time: event.time + 1000 });
  const second = [run.hello(), run.resumed(1), run.step(2, 0)].map(later);
  expect(secondsRun(view)).toBe(0);
  expect(secondsRun(applied(first))).toBe(2);
  expect(secondsRun(applied([...first, ...second]))).toBe(4);
});
