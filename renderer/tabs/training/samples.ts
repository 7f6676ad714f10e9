import { isOver, type JobView } from '../../../shared/job-view';
import type { TrainConfig } from '../../../shared/parameters';
import type { EventOf } from '../../../shared/protocol';

/** The samples of a run as a table: a row for each prompt, a column for each step at which they were drawn. */

export type Sample = EventOf<'sample'>;

/** A picture; or one that is being drawn, or about to be; or none, because the run ended before it was drawn. */
export type Cell = Sample | 'drawing' | 'waiting' | null;

export interface Row {
  /** Null until its first picture is there. */
  readonly prompt: string | null;
  /** One for each column. */
  readonly cells: readonly Cell[];
}

export interface Column {
  /** 0 before the training. */
  readonly step: number;
  readonly epoch: number;
}

export interface SampleTable {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** A picture's place in the table. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

interface Round extends Column {
  readonly done: number;
  readonly total: number;
}

type Drawn = Pick<JobView, 'samples' | 'phase' | 'status' | 'lastStep'>;

/** The round of pictures that is being drawn right now; null between two rounds. */
export function roundOf({ samples, phase, status, lastStep }: Drawn): Round | null {
  if (phase?.phase !== 'sampling' || phase.done >= phase.total || isOver(status)) return null;
  const { done, total } = phase;
  // The round's own pictures know best at which step it is.
  const { step, epoch } = (done > 0 ? samples.at(-1) : lastStep) ?? { step: 0, epoch: 0 };
  return { step, epoch, done, total };
}

export const isPicture = (cell: Cell): cell is Sample => typeof cell === 'object' && cell !== null;

export function sampleTable(drawn: Drawn): SampleTable {
  const { samples } = drawn;
  const round = roundOf(drawn);
  const columns = new Map<number, Column>();
  const pictures = new Map<string, Sample>();
  const prompts: string[] = [];
  for (const sample of samples) {
    columns.set(sample.step, sample);
    pictures.set(`${sample.step} ${sample.index}`, sample);
    prompts[sample.index] = sample.prompt;
  }
  if (round !== null) columns.set(round.step, round);

  const sorted = [...columns.values()].sort((a, b) => a.step - b.step);
  const cellAt = ({ step }: Column, index: number): Cell => {
    const picture = pictures.get(`${step} ${index}`);
    if (picture !== undefined) return picture;
    if (step !== round?.step || index < round.done || index >= round.total) return null;
    return index === round.done ? 'drawing' : 'waiting';
  };
  return {
    columns: sorted.map(({ step, epoch }) => ({ step, epoch })),
    rows: Array.from({ length: Math.max(prompts.length, round?.total ?? 0) }, (_, index) => ({
      prompt: prompts[index] ?? null,
      cells: sorted.map((column) => cellAt(column, index)),
    })),
  };
}

export const cellOf = ({ rows }: SampleTable, { row, column }: Place): Cell =>
  rows[row]?.cells[column] ?? null;

export type Direction = 'left' | 'right' | 'up' | 'down' | 'first' | 'last';

const ways: Record<Direction, (from: Place, table: SampleTable) => Place> = {
  left: ({ row, column }) => ({ row, column: column - 1 }),
  right: ({ row, column }) => ({ row, column: column + 1 }),
  up: ({ row, column }) => ({ row: row - 1, column }),
  down: ({ row, column }) => ({ row: row + 1, column }),
  first: ({ row }) => ({ row, column: 0 }),
  last: ({ row }, { columns }) => ({ row, column: columns.length - 1 }),
};
/** From an end of a row that holds no picture, the next one is looked for inwards. */
const onwards: Record<Direction, Direction> = {
  left: 'left',
  right: 'right',
  up: 'up',
  down: 'down',
  first: 'right',
  last: 'left',
};

/** The next picture in a direction, over cells that hold none; null at the end. */
export function nextPicture(table: SampleTable, from: Place, towards: Direction): Place | null {
  let place = ways[towards](from, table);
  while (table.rows[place.row]?.cells[place.column] !== undefined) {
    if (isPicture(cellOf(table, place))) return place;
    place = ways[onwards[towards]](place, table);
  }
  return null;
}

/** The first picture of the newest column that has one: where the keyboard enters the table. */
export function newestPicture({ columns, rows }: SampleTable): Place | null {
  for (let column = columns.length - 1; column >= 0; column -= 1) {
    const row = rows.findIndex(({ cells }) => isPicture(cells[column] ?? null));
    if (row >= 0) return { row, column };
  }
  return null;
}

export const stepName = (step: number): string =>
  step === 0 ? 'Start' : `Step ${step.toLocaleString('en-US')}`;

/** `Sample 2 at step 40`. */
export const sampleName = ({ index, step }: Sample): string =>
  `Sample ${index + 1} ${step === 0 ? 'before the training' : `at step ${step}`}`;

/** For whoever cannot see it: `Sample 2 at step 40: a portrait`. */
export const describeSample = (sample: Sample): string => `${sampleName(sample)}: ${sample.prompt}`;

/** As a line of Sample prompts that draws this picture again. */
export function promptLine(sample: Sample): string {
  const { prompt, negativePrompt, width, height, seed, sampleSteps, cfgScale, sampler } = sample;
  return [
    prompt,
    ...(negativePrompt === '' ? [] : [`--n ${negativePrompt}`]),
    `--w ${width} --h ${height} --d ${seed} --s ${sampleSteps} --l ${cfgScale} --ss ${sampler}`,
  ].join(' ');
}

type Times = Pick<
  TrainConfig,
  'sample_at_first' | 'sample_every_n_epochs' | 'sample_every_n_steps'
>;

/** When samples are drawn: `at the start, after every 2 epochs and at the end`. */
export function samplingTimes(config: Times): string {
  const { sample_every_n_epochs: epochs, sample_every_n_steps: steps } = config;
  const every = (count: number, unit: string) =>
    `after every ${count === 1 ? unit : `${count} ${unit}s`}`;
  const times = [
    ...(config.sample_at_first ? ['at the start'] : []),
    ...(epochs > 0 ? [every(epochs, 'epoch')] : steps > 0 ? [every(steps, 'step')] : []),
    'at the end',
  ];
  return [times.slice(0, -1).join(', '), times.at(-1)].filter(Boolean).join(' and ');
}
