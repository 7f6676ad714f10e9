import { describe, expect, it } from 'vitest';
import {
  describeSample,
  newestPicture,
  nextPicture,
  promptLine,
  roundOf,
  sampleTable,
  samplingTimes,
  type Cell,
  type SampleTable,
} from '../../../renderer/tabs/training/samples';
import {
  betweenStepsText,
  phaseMarks,
  progressOf,
  samplingText,
} from '../../../renderer/tabs/training/status';
import { newJobView, type JobView } from '../../../shared/job-view';
import type { EventOf } from '../../../shared/protocol';
import { sampleEvent } from '../../fakes/sample-event';

const job: JobView = {
  ...newJobView(
    { id: 'job', kind: 'train', name: 'nova', createdAt: '', samplePrompts: 3 },
    '/log/job',
  ),
  status: { kind: 'running' },
};

const phase = (name: EventOf<'phase'>['phase'], done: number, total: number): EventOf<'phase'> => ({
  type: 'phase',
  v: 1,
  seq: 1,
  time: 1,
  phase: name,
  done,
  total,
});

const lastStep = { step: 40, total: 100, epoch: 2 } as EventOf<'step'>;

/** Pictures as `[step, prompt]`, in the order in which they were drawn. */
const drawn = (...pictures: readonly [step: number, index: number][]) =>
  pictures.map(([step, index], at) =>
    sampleEvent({ seq: at + 1, step, index, epoch: step / 20, prompt: `prompt ${index}` }),
  );

/** The table in short: `0` is the picture with seq 0, `…` is being drawn, `.` waits, a blank is none. */
const short = (cell: Cell): string => {
  if (cell === null) return ' ';
  if (cell === 'drawing') return '…';
  return cell === 'waiting' ? '.' : String(cell.seq);
};
const look = ({ rows }: SampleTable) => rows.map(({ cells }) => cells.map(short).join('|'));

describe('the table of samples', () => {
  it('has a row for each prompt and a column for each step, whatever the order', () => {
    const table = sampleTable({ ...job, samples: drawn([0, 1], [40, 0], [0, 0], [40, 1]) });
    expect(table.columns).toEqual([
      { step: 0, epoch: 0 },
      { step: 40, epoch: 2 },
    ]);
    expect(table.rows.map(({ prompt }) => prompt)).toEqual(['prompt 0', 'prompt 1']);
    expect(look(table)).toEqual(['3|2', '1|4']);
  });

  it('is empty before the first picture', () => {
    expect(sampleTable({ ...job, phase: phase('training', 0, 100) })).toEqual({
      columns: [],
      rows: [],
    });
  });

  it('shows from the start of a round which picture is drawn and which ones wait', () => {
    const before = sampleTable({ ...job, phase: phase('sampling', 0, 3) });
    expect(before.columns).toEqual([{ step: 0, epoch: 0 }]);
    expect(before.rows.map(({ prompt }) => prompt)).toEqual([null, null, null]);
    expect(look(before)).toEqual(['…', '.', '.']);
    const samples = drawn([0, 0], [0, 1], [0, 2]);
    expect(
      look(sampleTable({ ...job, samples, phase: phase('sampling', 0, 3), lastStep })),
    ).toEqual(['1|…', '2|.', '3|.']);
  });

  it('believes the pictures of a round when the last step was told late', () => {
    const samples = drawn([0, 0], [0, 1], [41, 0]);
    const table = sampleTable({ ...job, samples, phase: phase('sampling', 1, 2), lastStep });
    expect(table.columns.map(({ step }) => step)).toEqual([0, 41]);
    expect(look(table)).toEqual(['1|3', '2|…']);
  });

  it.each([{ kind: 'stopped' }, { kind: 'completed' }] as const)(
    'leaves blank what a run that has $kind never drew',
    (status) => {
      const samples = drawn([0, 0], [0, 1], [40, 0]);
      const table = sampleTable({ ...job, status, samples, phase: phase('sampling', 1, 2) });
      expect(look(table)).toEqual(['1|3', '2| ']);
    },
  );

  it('has no round once all of its pictures are there', () => {
    expect(roundOf({ ...job, phase: phase('sampling', 2, 2) })).toBeNull();
    expect(roundOf({ ...job, phase: phase('saving', 0, 2) })).toBeNull();
  });

  it('shows the later of two pictures in one place', () => {
    expect(look(sampleTable({ ...job, samples: drawn([0, 0], [0, 0]) }))).toEqual(['2']);
  });
});

describe('going from picture to picture', () => {
  // 1 | 3 | 6
  // 2 |   | 7
  // 4 | 5 |
  const table = sampleTable({
    ...job,
    status: { kind: 'stopped' },
    samples: drawn([0, 0], [0, 1], [20, 0], [0, 2], [20, 2], [40, 0], [40, 1]),
  });
  it.each([
    ['right', [0, 0], [0, 1]],
    ['right', [1, 0], [1, 2]],
    ['down', [0, 1], [2, 1]],
    ['up', [2, 1], [0, 1]],
    ['left', [1, 2], [1, 0]],
    ['right', [0, 2], null],
    ['right', [2, 1], null],
    ['left', [0, 0], null],
    ['up', [0, 1], null],
    ['down', [1, 2], null],
    ['first', [1, 2], [1, 0]],
    ['last', [2, 0], [2, 1]],
    ['last', [0, 0], [0, 2]],
  ] as const)('%s of %j is %j', (towards, [row, column], to) => {
    expect(nextPicture(table, { row, column }, towards)).toEqual(
      to && { row: to[0], column: to[1] },
    );
  });

  it('begins at the first picture of the newest column that has one', () => {
    expect(newestPicture(table)).toEqual({ row: 0, column: 2 });
    const drawing = { ...job, samples: drawn([0, 1]), phase: phase('sampling', 0, 2), lastStep };
    expect(newestPicture(sampleTable(drawing))).toEqual({ row: 1, column: 0 });
    expect(newestPicture(sampleTable(job))).toBeNull();
  });
});

it('says what a picture shows', () => {
  expect(describeSample(sampleEvent({ index: 1, step: 40 }))).toBe(
    'Sample 2 at step 40: a portrait',
  );
  expect(describeSample(sampleEvent())).toBe('Sample 1 before the training: a portrait');
});

it('gives the prompt line that draws a picture again', () => {
  const flags = '--w 1024 --h 768 --d 7 --s 30 --l 7.5 --ss dpm++_2m_karras';
  expect(promptLine(sampleEvent())).toBe(`a portrait ${flags}`);
  expect(promptLine(sampleEvent({ negativePrompt: 'blurry' }))).toBe(
    `a portrait --n blurry ${flags}`,
  );
});

it.each([
  [true, 1, 0, 'at the start, after every epoch and at the end'],
  [true, 2, 50, 'at the start, after every 2 epochs and at the end'],
  [false, 0, 50, 'after every 50 steps and at the end'],
  [false, 0, 0, 'at the end'],
  [true, 0, 0, 'at the start and at the end'],
])('first %s, every %i epochs, every %i steps: %s', (first, epochs, steps, times) => {
  expect(
    samplingTimes({
      sample_at_first: first,
      sample_every_n_epochs: epochs,
      sample_every_n_steps: steps,
    }),
  ).toBe(times);
});

describe('while samples are drawn', () => {
  const sampling = { ...job, phase: phase('sampling', 1, 3), lastStep };

  it('it is still the training that goes on', () => {
    const marks = phaseMarks(sampling);
    expect(marks.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'current', 'waiting']);
    expect(marks[3]).toMatchObject({ label: 'Train', count: 'sample 2 of 3' });
    expect(marks.map(({ label }) => label)).toEqual(phaseMarks(job).map(({ label }) => label));
  });

  it('the last round does not take the phases back to before the LoRA was saved', () => {
    const last = { ...sampling, lastStep: { ...lastStep, step: 100 } };
    expect(phaseMarks(last).map(({ state }) => state)).toEqual([
      ...['done', 'done', 'done', 'done'],
      'current',
    ]);
    expect(phaseMarks(last)[4]).toMatchObject({ label: 'Save', count: 'sample 2 of 3' });
  });

  it('says which one, never one more than there are', () => {
    expect(samplingText(sampling)).toBe('Drawing sample 2 of 3');
    expect(samplingText({ phase: phase('sampling', 3, 3) })).toBe('Drawing sample 3 of 3');
    expect(samplingText({ phase: phase('training', 3, 3) })).toBeNull();
  });

  it('the progress stays where the training is', () => {
    expect(progressOf(sampling)).toEqual({ done: 40, total: 100 });
    expect(progressOf({ ...sampling, phase: phase('training', 0, 100) })).toEqual({
      done: 40,
      total: 100,
    });
    expect(progressOf({ ...sampling, lastStep: null })).toEqual({ done: 0, total: 0 });
    expect(progressOf({ ...job, phase: phase('caching_latents', 3, 10) })).toEqual({
      done: 3,
      total: 10,
    });
  });
});

describe('while it is validated', () => {
  const validating = { ...job, phase: phase('validating', 1, 4), lastStep };

  it('it is still the training that goes on', () => {
    const marks = phaseMarks(validating);
    expect(marks.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'current', 'waiting']);
    expect(marks[3]).toMatchObject({ label: 'Train', count: 'validation' });
    expect(progressOf(validating)).toEqual({ done: 40, total: 100 });
  });

  it('the last time does not take the phases back to before the LoRA was saved', () => {
    const last = { ...validating, lastStep: { ...lastStep, step: 100 } };
    expect(phaseMarks(last)[4]).toMatchObject({ state: 'current', count: 'validation' });
  });

  it('says so', () => {
    expect(betweenStepsText(validating)).toBe('Computing the validation loss');
    expect(betweenStepsText({ phase: phase('sampling', 0, 2) })).toBe('Drawing sample 1 of 2');
    expect(betweenStepsText({ phase: phase('training', 3, 3) })).toBeNull();
  });
});
