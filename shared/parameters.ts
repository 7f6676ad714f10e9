import { z } from 'zod';
import { basicParameters } from './parameters/basic';
import { captionParameters } from './parameters/captions';
import { folderParameters } from './parameters/folders';
import { memoryParameters } from './parameters/memory';
import { metadataParameters } from './parameters/metadata';
import { modelParameters } from './parameters/model';
import { networkParameters } from './parameters/network';
import { noiseAndLossParameters } from './parameters/noise-and-loss';
import { optimizerParameters } from './parameters/optimizer';
import { pictureParameters } from './parameters/pictures';
import { processParameters } from './parameters/processes';
import { sampleParameters } from './parameters/samples';
import { savingParameters } from './parameters/saving';
import { validationParameters } from './parameters/validation';

export type { ParameterGroup, ParameterRow } from './parameters/rows';

/**
 * The parameter table. Keys and labels are kohya_ss's, or sd-scripts' where kohya_ss has none; defaults are right for
 * SDXL where theirs are not. Forms, validation, tooltips, Kohya import and export and the bridge's config all come
 * from it.
 */
export const parameters = {
  ...modelParameters,
  ...folderParameters,
  ...basicParameters,
  ...networkParameters,
  ...optimizerParameters,
  ...savingParameters,
  ...captionParameters,
  ...pictureParameters,
  ...noiseAndLossParameters,
  ...memoryParameters,
  ...processParameters,
  ...validationParameters,
  ...sampleParameters,
  ...metadataParameters,
} as const;

export type ParameterKey = keyof typeof parameters;
export type Parameter = (typeof parameters)[ParameterKey];
export const parameterKeys = Object.keys(parameters) as ParameterKey[];

/** Headings within the groups that are long: the table is divided as they are. */
export const parameterSections: readonly {
  readonly title: string;
  readonly keys: ReadonlySet<string>;
}[] = [
  { title: 'Network', keys: new Set(Object.keys(networkParameters)) },
  { title: 'Optimizer', keys: new Set(Object.keys(optimizerParameters)) },
  { title: 'Saving and resuming', keys: new Set(Object.keys(savingParameters)) },
  { title: 'Captions', keys: new Set(Object.keys(captionParameters)) },
  { title: 'Pictures', keys: new Set(Object.keys(pictureParameters)) },
  { title: 'Noise and loss', keys: new Set(Object.keys(noiseAndLossParameters)) },
  { title: 'Memory', keys: new Set(Object.keys(memoryParameters)) },
  { title: 'Several GPUs', keys: new Set(Object.keys(processParameters)) },
  { title: 'Validation', keys: new Set(Object.keys(validationParameters)) },
];

type Shape = { [K in ParameterKey]: (typeof parameters)[K]['schema'] };
const shape = Object.fromEntries(
  parameterKeys.map((key) => [key, parameters[key].schema]),
) as unknown as Shape;

/** The typed config of one training run: every parameter, by its Kohya key. */
export const trainConfigSchema = z.strictObject(shape).meta({ id: 'TrainConfig' });
export type TrainConfig = z.infer<typeof trainConfigSchema>;

/** Every parameter at its default. Not yet a valid run: the folders are the user's to choose. */
export const defaultTrainConfig = Object.fromEntries(
  parameterKeys.map((key) => [key, parameters[key].default]),
) as TrainConfig;

/** The message of each parameter that cannot be used as it is. */
export function parameterProblems(config: TrainConfig): Partial<Record<ParameterKey, string>> {
  const problems: Partial<Record<ParameterKey, string>> = {};
  for (const key of parameterKeys) {
    const parsed = parameters[key].schema.safeParse(config[key]);
    if (!parsed.success) problems[key] = parsed.error.issues[0]?.message ?? 'Not a valid value.';
  }
  if (config.train_data_dir === '' && config.dataset_config === '')
    problems.train_data_dir = `${parameters.train_data_dir.label} must not be empty.`;
  return problems;
}
