import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve, win32 } from 'node:path';
import { importConfig } from '../../shared/kohya/config-file';
import type { ImportNote } from '../../shared/kohya/notes';
import { parameterProblems, type TrainConfig } from '../../shared/parameters';
import { ProblemError } from '../../shared/result';
import { fileProblem } from '../lib/file-problem';
import { printAside } from './print';

const titles: Record<ImportNote['kind'], string> = {
  changed: 'Changed',
  unsupported: 'Not supported',
  unknown: 'Not known',
  defaulted: 'Not in the file',
};

/**
 * A training config out of a file of kohya_ss or sd-scripts, or of our own; says on stderr what was changed or left out.
 *
 * @param given what counts instead of what the file has
 * @throws ProblemError with the first thing that is wrong with it
 */
export async function readConfigFile(
  path: string,
  given: Partial<TrainConfig> = {},
): Promise<TrainConfig> {
  return checkConfig(completePaths({ ...(await readConfigText(path)), ...given }));
}

/** The same as it stands in the file, not yet checked. */
export async function readConfigText(path: string): Promise<TrainConfig> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fileProblem(error, path);
  });
  const { config, notes } = importConfig(text, basename(path));
  printNotes(notes);
  return config;
}

function printNotes(notes: readonly ImportNote[]): void {
  for (const { kind, message } of notes)
    if (kind !== 'defaulted') printAside(`${titles[kind]}: ${message}`);
  const missing = notes.filter(({ kind }) => kind === 'defaulted').map(({ key }) => key);
  if (missing.length > 0)
    printAside(`${titles.defaulted}: ${missing.join(', ')}. The defaults are used.`);
}

const paths = [
  'train_data_dir',
  'reg_data_dir',
  'dataset_config',
  'conditioning_data_dir',
  'vae',
  'output_dir',
  'logging_dir',
] as const;

/** Paths count from where the command runs; a job runs in its own folder. */
function completePaths(config: TrainConfig): TrainConfig {
  const full = { ...config };
  for (const key of paths) full[key] = completePath(full[key]);
  if (full.logging_dir === '' && full.output_dir !== '')
    full.logging_dir = join(full.output_dir, 'log');
  // What is not a path on this machine may be the name of a model on a hub.
  const model = full.pretrained_model_name_or_path;
  if (existsSync(model)) full.pretrained_model_name_or_path = resolve(model);
  return full;
}

/** A Windows path means nothing elsewhere; it stays as it is, so that messages name what the file has. */
const isForeign = (path: string): boolean => win32.isAbsolute(path) && !isAbsolute(path);

const completePath = (path: string): string =>
  path === '' || isForeign(path) ? path : resolve(path);

function checkConfig(config: TrainConfig): TrainConfig {
  const [problem] = Object.entries(parameterProblems(config));
  if (problem !== undefined)
    throw new ProblemError(
      'bad_config',
      `${problem[0]}: ${problem[1]}`,
      'Correct it in the config.',
    );
  const foreign = paths.find((key) => isForeign(config[key]));
  if (foreign !== undefined)
    throw new ProblemError(
      'foreign_path',
      `${foreign} is ${config[foreign]}, a path of Windows, which this machine does not have.`,
      'Write the path that it has here into the config.',
    );
  return config;
}
