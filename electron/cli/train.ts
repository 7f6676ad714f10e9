import { join } from 'node:path';
import type { TrainConfig } from '../../shared/parameters';
import { captionConfigSchema } from '../../shared/protocol';
import { ProblemError } from '../../shared/result';
import type { Project } from '../../shared/settings';
import { Preparation } from '../services/preparation';
import { configOfDraft, readSampleProject } from '../services/sample-project';
import { Thumbnails } from '../services/thumbnails';
import { readConfigFile } from './config-file';
import type { Context } from './context';
import { findFaults } from './inspect';
import { createWorker } from './plan';
import { print, printAside } from './print';
import { runJob } from './run-job';

export interface TrainOptions {
  /** Train the sample project instead of a config. */
  readonly sample: boolean;
  /** Where the sample project is prepared. */
  readonly folder: string | undefined;
}

/** `train CONFIG`: 0 only when the LoRA is there and whole. */
export async function trainCommand(
  context: Context,
  file: string | undefined,
  { sample, folder }: TrainOptions,
): Promise<number> {
  if (sample === (file !== undefined))
    throw new ProblemError(
      'usage',
      'Give a config file, or --sample.',
      'See: atelier train --help',
    );
  const config =
    file === undefined ? await captionedSample(context, folder) : await readConfigFile(file);
  const { status, outputs } = await runJob(context, { kind: 'train', config });
  const [lora] = outputs;
  if (status.kind === 'failed') return 1;
  if (lora === undefined) {
    printAside('Error: No LoRA was saved.');
    return 1;
  }
  return checkLora(context, lora);
}

async function checkLora(context: Context, lora: string): Promise<number> {
  const worker = createWorker(context);
  try {
    const faults = findFaults(await worker.ask('inspect', { path: lora }));
    for (const fault of faults) printAside(`Error: ${lora}: ${fault}`);
    if (faults.length > 0) return 1;
    print(`LoRA: ${lora}`);
    return 0;
  } finally {
    worker.dispose();
  }
}

/** The sample project, prepared and captioned as in the window, with the config to train it. */
async function captionedSample(context: Context, folder: string | undefined): Promise<TrainConfig> {
  const { sample, dataFolder } = context.locations;
  const found = await readSampleProject(sample, folder ?? '');
  if (found === null)
    throw new ProblemError(
      'no_sample',
      `There is no sample project in ${sample}.`,
      'Run npm start, which makes it.',
    );
  // Each subject has its own folder, so that what another version of the sample left is not trained.
  const destination = folder ?? join(dataFolder, `sample-run-${found.dataset.instancePrompt}`);
  const project = { ...found, dataset: { ...found.dataset, destination } };
  const { imagesFolder, config } = await prepareProject(context, project);
  const { status } = await runJob(context, {
    kind: 'caption',
    logging_dir: config.logging_dir,
    config: captionConfigSchema.parse({
      ...project.captioning,
      image_dir: imagesFolder,
      existing: 'skip',
    }),
  });
  if (status.kind !== 'completed')
    throw new ProblemError(
      'not_captioned',
      'The captioning of the sample project did not end.',
      'Run the command again; what was captioned is kept.',
    );
  return config;
}

async function prepareProject(
  context: Context,
  project: Project,
): Promise<{ readonly imagesFolder: string; readonly config: TrainConfig }> {
  const worker = createWorker(context);
  const thumbnails = new Thumbnails(
    join(project.dataset.destination, '.thumbnails'),
    (path, thumbnail) => worker.ask('picture', { path, thumbnail }),
  );
  const config = configOfDraft(project.training);
  const preparation = new Preparation({
    thumbnails,
    makePlan: (trainConfig, concepts) => worker.ask('plan', { config: trainConfig, concepts }),
    trainConfig: () => config,
    onProgress: () => undefined,
  });
  try {
    print('Preparing the sample project');
    const {
      imagesFolder,
      copied: _copied,
      kept: _kept,
      ...folders
    } = await preparation.prepare(project.dataset);
    return { imagesFolder, config: { ...config, ...folders } };
  } finally {
    worker.dispose();
  }
}
