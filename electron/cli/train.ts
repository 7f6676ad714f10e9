import { join, resolve } from 'node:path';
import type { JobView } from '../../shared/job-view';
import type { TrainConfig } from '../../shared/parameters';
import { captionConfigSchema } from '../../shared/protocol';
import { ProblemError } from '../../shared/result';
import type { Project } from '../../shared/settings';
import { configOfDraft, readSampleProject } from '../services/sample-project';
import { readConfigFile } from './config-file';
import type { Context } from './context';
import { findFaults } from './inspect';
import { createWorker } from './plan';
import { createPreparation } from './prepare';
import { print, printAside } from './print';
import { resumeJob, runJob } from './run-job';

export interface TrainOptions {
  /** Train the sample project instead of a config. */
  readonly sample: boolean;
  /** Where the sample project is prepared. */
  readonly folder: string | undefined;
  /** The folder of a job to go on with, instead of a config. */
  readonly resume: string | undefined;
  /** How many GPUs train together, whatever the config says. */
  readonly processes: number | undefined;
}

/** What `train` ends with. A usage that is wrong ends with 1 too. */
const exitCodes = {
  /** The LoRA is there and whole, also of a run that was stopped. */
  saved: 0,
  /** It is not. */
  failed: 1,
  /** The run was paused: there is no LoRA of its end yet. */
  paused: 3,
} as const;

export const exitCodesHelp = `
Exit codes: ${String(exitCodes.saved)} the LoRA is saved and whole, ${String(exitCodes.failed)} it is not, ${String(exitCodes.paused)} the run was paused.`;

/** `train CONFIG`, `train --sample` or `train --resume FOLDER`. */
export async function trainCommand(
  context: Context,
  file: string | undefined,
  options: TrainOptions,
): Promise<number> {
  const view = await trained(context, file, options);
  tellHowToGoOn(view);
  if (view.status.kind === 'paused') return exitCodes.paused;
  if (view.status.kind === 'failed') return exitCodes.failed;
  const [lora] = view.outputs;
  if (lora !== undefined) return checkLora(context, lora);
  printAside('Error: No LoRA was saved.');
  return exitCodes.failed;
}

async function trained(
  context: Context,
  file: string | undefined,
  { sample, folder, resume, processes }: TrainOptions,
): Promise<JobView> {
  if ([sample, file !== undefined, resume !== undefined].filter(Boolean).length !== 1)
    throw new ProblemError(
      'usage',
      'Give a config file, or --sample, or --resume.',
      'See: atelier train --help',
    );
  if (resume !== undefined && processes !== undefined)
    throw new ProblemError(
      'usage',
      'A run goes on with as many processes as it had.',
      'Leave out --processes, or begin a new run whose config names the run in resume.',
    );
  if (resume !== undefined) return resumeJob(context, resolve(resume));
  const given = processes === undefined ? {} : { num_processes: processes };
  const config =
    file === undefined
      ? { ...(await captionedSample(context, folder)), ...given }
      : await readConfigFile(file, given);
  return runJob(context, { kind: 'train', config });
}

/** For a run that ended before its end. */
function tellHowToGoOn({ status, state, folder }: JobView): void {
  if (status.kind === 'completed') return;
  const from = state === null ? 'begin again' : `go on after step ${String(state.step)}`;
  print(`To ${from}: npm run atelier -- train --resume "${folder}"`);
}

async function checkLora(context: Context, lora: string): Promise<number> {
  const worker = createWorker(context);
  try {
    const faults = findFaults(await worker.ask('inspect', { path: lora }));
    for (const fault of faults) printAside(`Error: ${lora}: ${fault}`);
    if (faults.length > 0) return exitCodes.failed;
    print(`LoRA: ${lora}`);
    return exitCodes.saved;
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
  const destination =
    folder ?? join(dataFolder, `sample-run-${found.dataset.concepts[0]?.instancePrompt ?? ''}`);
  const project = { ...found, dataset: { ...found.dataset, destination } };
  const { imagesFolder, config } = await prepareProject(context, project);
  const { status } = await runJob(context, {
    kind: 'caption',
    logging_dir: config.logging_dir,
    config: captionConfigSchema.parse({
      ...project.captioning,
      image_dir: imagesFolder,
      existing: 'skip',
      images: null,
      candidates: 0,
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
  const config = configOfDraft(project.training);
  const thumbnails = join(project.dataset.destination, '.thumbnails');
  const { preparation, dispose } = createPreparation(context, { thumbnails, config });
  try {
    print('Preparing the sample project');
    const {
      imagesFolder,
      copied: _copied,
      linked: _linked,
      kept: _kept,
      ...folders
    } = await preparation.prepare(project.dataset);
    return { imagesFolder, config: { ...config, ...folders } };
  } finally {
    dispose();
  }
}
