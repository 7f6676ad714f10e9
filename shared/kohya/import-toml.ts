import { parameters, type ParameterKey } from '../parameters';
import { ProblemError } from '../result';
import { isOn } from './convert';
import { KEPT, keptIn, restore } from './kept';
import { moderniseOptions, type Raw } from './legacy';
import type { ConfigImport, ImportNote } from './notes';
import { parseToml } from './parse-toml';
import { readOptions } from './read-options';
import { defaulted, takeParameters, untouched } from './take';
import { trainerFates } from './trainer-options';
import { writeOptions } from './write-options';

/**
 * Reads a config of sd-scripts (its `config_file`), as kohya_ss writes it on every start, or as we do. What it does not
 * say is as sd-scripts has it without being told, which is not always our default.
 *
 * @param name what errors call the file
 * @throws ProblemError `toml_broken`, `dataset_config`, `not_a_config`, `not_sdxl`, `bad_value`
 */
export function importTrainerToml(text: string, name = 'The config'): ConfigImport {
  const table = parseToml(text, name);
  const options = flat(table);
  refuse(table, options, name);
  const kept = keptIn(table);
  const notes: ImportNote[] = [];
  const { raw, given } = readOptions(options, notes);
  const modern = moderniseOptions(raw);
  for (const [key, message] of modern.changes) notes.push({ kind: 'changed', key, message });
  const read = takeParameters(modern.raw, notes);
  const config = kept === null ? read : restore(read, kept, options, writeOptions);
  if (kept === null)
    for (const key of Object.keys(parameters) as ParameterKey[])
      if (!given.has(key)) notes.push(defaulted(key, config[key]));
  return { config, taken: untouched(notes), notes };
}

/** sd-scripts takes options from sections as if they stood at the top. */
function flat(table: Raw): Raw {
  const { [KEPT]: _, ...rest } = table;
  return Object.fromEntries(
    Object.entries(rest).flatMap(([key, value]): [string, unknown][] =>
      isTable(value) ? Object.entries(value) : [[key, value]],
    ),
  );
}

const isTable = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** `[general]` may be the name of a section of a training too. */
const isDataset = (table: Raw, options: Raw): boolean =>
  'datasets' in table ||
  (isTable(table['general']) &&
    !['pretrained_model_name_or_path', 'train_data_dir', 'output_dir', 'network_module'].some(
      (name) => name in options,
    ));

function refuse(table: Raw, options: Raw, name: string): void {
  if (isDataset(table, options))
    throw new ProblemError(
      'dataset_config',
      `${name} describes a dataset, not a training.`,
      `Choose it as ${parameters.dataset_config.label}, among the Folders.`,
    );
  if (!Object.keys(options).some((key) => key in trainerFates))
    throw new ProblemError(
      'not_a_config',
      `${name} holds no options of sd-scripts.`,
      'Choose the config_file of a run, such as the config_lora-….toml that kohya_ss writes.',
    );
  if (isOn(options['v2']))
    throw new ProblemError(
      'not_sdxl',
      `${name} is for Stable Diffusion 2 (v2 is on): only SDXL can be trained.`,
      'Choose an SDXL configuration.',
    );
}
