import type { Plan } from '../../shared/protocol';
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
    else printPlan(plan);
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
  for (const { resolution, count } of plan.buckets)
    print(`Bucket ${resolution.join('x')}: ${String(count)}`);
  print(
    `${String(plan.stepsPerEpoch)} steps an epoch x ${String(plan.epochs)} epochs: ${String(plan.totalSteps)} steps`,
  );
  for (const warning of plan.warnings) printProblem('Warning', warning);
}
