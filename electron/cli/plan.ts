import { formatBytes } from '../../shared/format-bytes';
import type { Memory } from '../../shared/worker-protocol';
import type { Bucket, Plan, PlannedFiles } from '../../shared/protocol';
import { Worker } from '../services/worker';
import { readConfigFile } from './config-file';
import type { Context } from './context';
import { print, printProblem } from './print';

export const nowhere = { output_dir: '.', logging_dir: '.', output_name: 'plan' };

/** `plan CONFIG`: what a training run would do. */
export async function planCommand(
  context: Context,
  file: string,
  asJson: boolean,
): Promise<number> {
  // A plan writes nothing, so it matters not whether the file has a place for it.
  const config = await readConfigFile(file, nowhere);
  const worker = createWorker(context);
  try {
    const plan = await worker.ask('plan', { config, concepts: null });
    if (asJson) print(JSON.stringify(plan));
    else {
      const { devices } = await worker.ask('probe', {});
      const [device] = devices;
      printPlan(plan);
      if (device !== undefined)
        print(memoryLine(await worker.ask('memory', { config, device }), device.name));
      for (const warning of plan.warnings) printProblem('Warning', warning);
    }
    return 0;
  } finally {
    worker.dispose();
  }
}

export const createWorker = ({ locations, log }: Context): Worker =>
  new Worker({ locations, log, onStatus: () => undefined });

function printPlan(plan: Plan): void {
  for (const { folder, images, repeats, prompt, regularization } of plan.concepts)
    print(
      `${regularization ? 'Regularization' : 'Training'}: ${String(images)} images x ${String(repeats)} "${prompt}" in ${folder}`,
    );
  if (plan.validationImages > 0)
    print(`Validation: ${String(plan.validationImages)} images are kept back`);
  for (const bucket of plan.buckets) print(bucketLine(bucket));
  print(
    `${String(plan.stepsPerEpoch)} steps an epoch x ${String(plan.epochs)} epochs: ${String(plan.totalSteps)} steps`,
  );
  if (plan.regularizationImages > 0)
    print(`Without regularization: ${String(plan.stepsWithoutRegularization)} steps an epoch`);
  for (const line of filesLines(plan.files)) print(line);
}

function bucketLine({ resolution, images, count, batches, short, enlarged }: Bucket): string {
  const remarks = [short && 'less than a batch', enlarged > 0 && `${String(enlarged)} enlarged`];
  const odd = remarks.filter((remark) => remark !== false);
  return `Bucket ${resolution.join('x')}: ${String(images)} pictures, shown ${String(count)} times in ${String(batches)} batches${odd.length > 0 ? ` (${odd.join(', ')})` : ''}`;
}

const size = (bytes: number | null): string =>
  bytes === null ? 'size not known' : formatBytes(bytes);

function filesLines(files: PlannedFiles): string[] {
  const { checkpoints, checkpointBytes, states, stateBytes, samples, samplesBytes, disks } = files;
  return [
    `LoRA files: ${String(checkpoints)} of ${size(checkpointBytes)}`,
    ...(states > 0 ? [`States to go on from: ${String(states)} of ${size(stateBytes)}`] : []),
    ...(samples > 0 ? [`Samples: ${String(samples)}, together ${formatBytes(samplesBytes)}`] : []),
    ...disks.map(
      ({ folder, needBytes, freeBytes }) =>
        `Room for ${folder}: ${size(needBytes)} needed, ${size(freeBytes)} free`,
    ),
  ];
}

function memoryLine({ neededBytes, memoryBytes, fits }: Memory, device: string): string {
  const has = memoryBytes === null ? '' : ` of ${formatBytes(memoryBytes)}`;
  return `Memory: ${formatBytes(neededBytes)}${has} on ${device}${fits === false ? ', which does not fit' : ''}`;
}
