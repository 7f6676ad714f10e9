import { parameterKeys, type TrainConfig } from '../parameters';
import { ProblemError } from '../result';
import { additionalParameters } from './additional-parameters';
import { isEmpty, isOn, kohyaKeyOf, notA } from './convert';
import { KEPT, keptIn, restore } from './kept';
import { legacyKeys, modernise, type Raw } from './legacy';
import type { ConfigImport, ImportNote } from './notes';
import { irrelevantKeys, otherModels, readKeys, reasonOf, unsupportedKeys } from './other-keys';
import { parseJson } from './parse-json';
import { fileKeyOf, takeParameters, untouched } from './take';
import { writeFields } from './write-fields';

/**
 * Reads a config as kohya_ss saves it, or as we do: numbers may be strings, numbers that are not set may be "" or null,
 * booleans and whole numbers may be written in any of the ways that its versions have used.
 *
 * @param name what errors call the file
 * @throws ProblemError `json_broken`, `not_a_config`, `not_sdxl`, `bad_value`
 */
export function importKohyaJson(text: string, name = 'The config'): ConfigImport {
  const fields = parseJson(text, name);
  refuseOtherModels(fields, name);
  const additional = additionalParameters(textIn(fields, 'additional_parameters'));
  const { raw, changes } = modernise(fields, additional.raw);
  if (parameterKeys.every((key) => fileKeyOf(raw, key) === null))
    throw new ProblemError(
      'not_a_config',
      `${name} holds no training parameters.`,
      'Save a configuration in kohya_ss, or use the job.json’s config of an earlier run.',
    );
  const notes: ImportNote[] = [
    ...additional.unsupported.map(([key, message]): ImportNote => ({
      kind: 'unsupported',
      key,
      message,
    })),
    ...changes.map(([key, message]): ImportNote => ({ kind: 'changed', key, message })),
  ];
  const read = [applyEpochs, applyAlpha].reduce(
    (before, apply) => apply(before, raw, notes),
    takeParameters(raw, notes),
  );
  const kept = keptIn(fields);
  const all = [...notes, ...otherNotes({ ...fields, ...additional.raw })];
  // What our own files leave out is at its default.
  const told = kept === null ? all : all.filter(({ kind }) => kind !== 'defaulted');
  return {
    config: kept === null ? read : restore(read, kept, fields, writeFields),
    taken: untouched(told),
    notes: told,
  };
}

const textIn = (raw: Raw, key: string): string => (isEmpty(raw[key]) ? '' : String(raw[key]));

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
        message: `${key} is ${shown(value)}, which has no effect: ${lowered(reasonOf(key))}`,
      });
    if (!isKnown(key))
      notes.push({ kind: 'unknown', key, message: `${key} is not known and has no effect.` });
  }
  return notes;
}

const shown = (value: unknown): string => JSON.stringify(value);

const lowered = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);

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
  ...parameterKeys.map(kohyaKeyOf),
  ...Object.keys(otherModels),
  ...readKeys,
  ...legacyKeys,
  KEPT,
]);

const isKnown = (key: string): boolean =>
  ownKeys.has(key) || key in unsupportedKeys || irrelevantKeys.has(key);
