import {
  defaultTrainConfig,
  parameterKeys,
  parameters,
  type ParameterKey,
  type TrainConfig,
} from '../parameters';
import { ProblemError } from '../result';
import { additionalParameters } from './additional-parameters';
import { convert, isEmpty, isOn, kohyaKeyOf, notA } from './convert';
import { legacyKeys, modernise, type Raw } from './legacy';
import { irrelevantKeys, reasons, unsupportedKeys } from './other-keys';
import { parseJson } from './parse-json';

/** What became of a value on its way in. */
export interface ImportNote {
  /**
   * `changed`: taken with another value. `unsupported`: asks for something that is not done. `unknown`: no key of
   * kohya_ss. `defaulted`: not in the file, so our default is used.
   */
  readonly kind: 'changed' | 'unsupported' | 'unknown' | 'defaulted';
  readonly key: string;
  readonly message: string;
}

export interface KohyaImport {
  /** Not yet checked: a folder may be missing. */
  readonly config: TrainConfig;
  readonly notes: readonly ImportNote[];
}

/**
 * Reads a config as kohya_ss saves it, or as we do: numbers may be strings, numbers that are not set may be "" or null,
 * booleans and whole numbers may be written in any of the ways that its versions have used.
 *
 * @param name what errors call the file
 * @throws ProblemError `json_broken`, `not_a_config`, `not_sdxl`, `bad_value`
 */
export function importKohyaJson(text: string, name = 'The config'): KohyaImport {
  const fields = parseJson(text, name);
  refuseOtherModels(fields, name);
  const additional = additionalParameters(textIn(fields, 'additional_parameters'));
  const given = { ...fields, ...additional.raw };
  const { raw, changes } = modernise(given);
  const config: Record<string, unknown> = { ...defaultTrainConfig };
  const notes: ImportNote[] = [];
  for (const [key, message] of additional.unsupported)
    notes.push({ kind: 'unsupported', key, message });
  for (const [key, message] of changes) notes.push({ kind: 'changed', key, message });
  for (const key of parameterKeys) {
    const fileKey = fileKeyOf(raw, key);
    if (fileKey === null) {
      notes.push(defaulted(key));
      continue;
    }
    const { value, change } = convert(key, raw[fileKey]);
    config[key] = value;
    if (change !== null) notes.push({ kind: 'changed', key: fileKey, message: change });
  }
  if (parameterKeys.every((key) => fileKeyOf(raw, key) === null))
    throw new ProblemError(
      'not_a_config',
      `${name} holds no training parameters.`,
      'Save a configuration in kohya_ss, or use the job.json’s config of an earlier run.',
    );
  const whole = [applyEpochs, applyAlpha].reduce(
    (before, apply) => apply(before, raw, notes),
    config as TrainConfig,
  );
  return {
    config: whole,
    notes: [...notes, ...otherNotes(given)],
  };
}

const textIn = (raw: Raw, key: string): string => (isEmpty(raw[key]) ? '' : String(raw[key]));

/** The key under which a parameter stands in the file; null when it is not there. */
function fileKeyOf(raw: Raw, key: ParameterKey): string | null {
  return [kohyaKeyOf(key), key].find((candidate) => candidate in raw) ?? null;
}

const defaulted = (key: ParameterKey): ImportNote => ({
  kind: 'defaulted',
  key: kohyaKeyOf(key),
  message: `${kohyaKeyOf(key)} is not in the file: ${JSON.stringify(parameters[key].default)} is used.`,
});

const otherModels: Readonly<Record<string, string>> = {
  v2: 'Stable Diffusion 2',
  flux1_checkbox: 'Flux.1',
  sd3_checkbox: 'Stable Diffusion 3',
  hunyuan_image_checkbox: 'HunyuanImage',
  anima_checkbox: 'Anima',
  lumina_checkbox: 'Lumina',
};

function refuseOtherModels(raw: Raw, name: string): void {
  for (const [key, model] of Object.entries(otherModels))
    if (isOn(raw[key]))
      throw new ProblemError(
        'not_sdxl',
        `${name} is for ${model} (${key} is on): only SDXL can be trained.`,
        'Choose an SDXL configuration.',
      );
}

/** As in sd-scripts, Max train epoch wins over Max train steps. */
function applyEpochs(config: TrainConfig, raw: Raw, notes: ImportNote[]): TrainConfig {
  const wanted = raw['max_train_epochs'];
  const epochs = isEmpty(wanted) ? 0 : Math.round(Number(wanted));
  if (Number.isNaN(epochs)) throw notA('a number', 'max_train_epochs', 'Max train epoch', wanted);
  if (epochs <= 0) return config;
  if (config.max_train_steps > 0 || config.epoch !== epochs)
    notes.push({
      kind: 'changed',
      key: 'max_train_epochs',
      message: `max_train_epochs is ${String(epochs)}, which wins over epoch and max_train_steps.`,
    });
  return { ...config, epoch: epochs, max_train_steps: 0 };
}

/** As in sd-scripts, an alpha of 0 means that of the rank: the LoRA acts unscaled. */
function applyAlpha(config: TrainConfig, raw: Raw, notes: ImportNote[]): TrainConfig {
  if (isEmpty(raw['network_alpha']) || Number(raw['network_alpha']) !== 0) return config;
  const rank = config.network_dim;
  notes.push({
    kind: 'changed',
    key: 'network_alpha',
    message: `network_alpha is 0, which means the rank: ${String(rank)} is used.`,
  });
  return { ...config, network_alpha: rank };
}

/** What the file asks for beyond our parameters. */
function otherNotes(raw: Raw): ImportNote[] {
  const notes: ImportNote[] = [];
  if ('sdxl' in raw && !isOn(raw['sdxl']))
    notes.push({
      kind: 'changed',
      key: 'sdxl',
      message:
        'sdxl is off: the model is trained as SDXL all the same, and refused if it is not one.',
    });
  for (const [key, value] of Object.entries(raw)) {
    const neutral = unsupportedKeys[key];
    if (neutral !== undefined && isSet(value, neutral))
      notes.push({
        kind: 'unsupported',
        key,
        message: `${key} is ${shown(value)}: ${reasons[key] ?? 'it is not supported and has no effect'}.`,
      });
    if (!isKnown(key))
      notes.push({ kind: 'unknown', key, message: `${key} is not known and has no effect.` });
  }
  return notes;
}

const shown = (value: unknown): string => JSON.stringify(value);

/** Whether a value asks for something: neither empty nor the one at which its key does nothing. */
function isSet(value: unknown, neutral: string | number | boolean): boolean {
  if (value === undefined || value === null || value === '' || value === false) return false;
  if (typeof neutral === 'boolean') return isOn(value);
  return typeof neutral === 'number'
    ? Number(value) !== neutral && Number(value) !== 0
    : value !== neutral;
}

const ownKeys: ReadonlySet<string> = new Set([
  ...parameterKeys,
  ...parameterKeys.flatMap((key) => {
    const row = parameters[key];
    return 'kohyaKey' in row ? [row.kohyaKey] : [];
  }),
  ...Object.keys(otherModels),
  ...legacyKeys,
  'sdxl',
  'max_train_epochs',
  'additional_parameters',
]);

const isKnown = (key: string): boolean =>
  ownKeys.has(key) || key in unsupportedKeys || irrelevantKeys.has(key);
