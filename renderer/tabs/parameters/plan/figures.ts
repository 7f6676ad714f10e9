import type { TrainConfig } from '../../../../shared/parameters';
import type { Plan, PlannedFiles } from '../../../../shared/protocol';
import type { TimeEstimate } from '../../../../shared/time-estimate';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatQuantity,
  formatSpeed,
} from '../../../format';

/** A figure of the plan, and in a few words how it comes about. */
export interface Figure {
  readonly label: string;
  readonly value: string;
  readonly how: string;
  /** It is more than there is. */
  readonly bad?: boolean;
}

const sentence = (...parts: readonly (string | false | null)[]): string =>
  parts.filter((part) => typeof part === 'string').join(' ');

export function stepsFigure(plan: Plan, config: TrainConfig): Figure {
  const shown = plan.buckets.reduce((sum, { count }) => sum + count, 0);
  const accumulated = config.gradient_accumulation_steps;
  const batch = config.train_batch_size * config.num_processes * config.num_machines;
  return {
    label: 'Steps an epoch',
    value: formatCount(plan.stepsPerEpoch),
    how: sentence(
      `${formatQuantity(shown, 'picture')} shown, each bucket in batches of ${formatCount(batch)}:`,
      formatQuantity(plan.batchesPerEpoch, 'batch', 'batches'),
      accumulated > 1 && `÷ ${formatCount(accumulated)} accumulated`,
    ),
  };
}

export function regularizationFigure(plan: Plan): Figure | null {
  if (plan.regularizationImages === 0) return null;
  const { stepsPerEpoch, stepsWithoutRegularization } = plan;
  const times = stepsPerEpoch / Math.max(1, stepsWithoutRegularization);
  return {
    label: 'Without regularization',
    value: formatCount(stepsWithoutRegularization),
    how: `Its ${formatQuantity(plan.regularizationImages, 'picture')} are shown as often as yours: an epoch is ${times.toFixed(1)} times as long.`,
  };
}

/** `20`, or `10 to 40` where the folders differ. */
export function repeatsOf(plan: Plan): string {
  const repeats = plan.concepts.filter((c) => !c.regularization).map((c) => c.repeats);
  if (repeats.length === 0) return '–';
  const [least, most] = [Math.min(...repeats), Math.max(...repeats)];
  return least === most ? formatCount(least) : `${least} to ${most}`;
}

export function imagesFigure(plan: Plan): Figure {
  const { images, enlargedImages, uncaptionedImages, validationImages } = plan;
  const remarks = [
    `Each shown ${repeatsOf(plan)} × an epoch.`,
    uncaptionedImages > 0 && `${formatCount(uncaptionedImages)} without a caption of their own.`,
    enlargedImages > 0 && `${formatCount(enlargedImages)} enlarged to fill their bucket.`,
    validationImages > 0 && `${formatCount(validationImages)} more are kept back to validate.`,
  ];
  return { label: 'Images', value: formatCount(images), how: sentence(...remarks) };
}

export function timeFigure(estimate: TimeEstimate | null): Figure {
  if (estimate === null)
    return {
      label: 'Time',
      value: 'not known yet',
      how: 'Known after the first steps: no earlier run here had this base model and precision.',
    };
  const { seconds, secondsPerStep, run, scaledBy, notReckoned } = estimate;
  return {
    label: 'Time',
    value: `about ${formatDuration(seconds)}`,
    how: sentence(
      `${formatSpeed(secondsPerStep)}, as measured in the run ${run.name} on ${run.device}`,
      scaledBy.length > 0 ? `and scaled (${scaledBy.join(', ')}).` : '.',
      notReckoned.length > 0 && `Not reckoned with: ${notReckoned.join(', ')}.`,
      'Loading and samples come on top.',
    ).replace(' .', '.'),
  };
}

const altogether = (number: number, bytes: number | null): string =>
  bytes === null ? formatCount(number) : `${formatCount(number)} × ${formatBytes(bytes)}`;

function checkpointsFigure(files: PlannedFiles): Figure {
  const { checkpoints, checkpointsKept, checkpointBytes } = files;
  return {
    label: checkpoints === 1 ? 'LoRA file' : 'LoRA files',
    value: altogether(checkpoints, checkpointBytes),
    how: sentence(
      checkpoints === 1 ? 'Saved at the end.' : 'On the way, and one at the end.',
      checkpointsKept < checkpoints && `The newest ${formatCount(checkpointsKept)} are kept.`,
      checkpointBytes === null
        ? 'How large they are shows when the first is built.'
        : 'By rank and the layers of the base model.',
    ),
  };
}

function otherFiles(files: PlannedFiles): Figure[] {
  const { states, stateBytes, samples, samplesBytes } = files;
  const figures: Figure[] = [];
  if (states > 0)
    figures.push({
      label: 'States to go on from',
      value: altogether(states, stateBytes),
      how: 'The most at one time: a new one is there before the old one goes.',
    });
  if (samples > 0)
    figures.push({
      label: 'Samples',
      value: formatCount(samples),
      how: `About ${formatBytes(samplesBytes)} of PNG pictures.`,
    });
  return figures;
}

const diskFigure = ({ folder, needBytes, freeBytes }: PlannedFiles['disks'][number]): Figure => ({
  label: 'Room on the disk',
  value: freeBytes === null ? 'not known' : `${formatBytes(freeBytes)} free`,
  how: sentence(
    needBytes === null ? 'The run’s files need room' : `At most ${formatBytes(needBytes)} needed`,
    `for what goes to ${folder}.`,
  ),
  bad: needBytes !== null && freeBytes !== null && needBytes > freeBytes,
});

export const filesFigures = ({ files }: Plan): readonly Figure[] => [
  checkpointsFigure(files),
  ...otherFiles(files),
  ...files.disks.map(diskFigure),
];
