import { z } from 'zod';
import { parameterKeys, parameters, type ParameterKey, type TrainConfig } from './parameters';

/** What a preset may set, and what it would change. */

/** What belongs to one subject, one base model or one machine of several: no preset touches it. */
const personalKeys = [
  ...(['pretrained_model_name_or_path', 'v_parameterization', 'vae'] as const),
  // They are right for models that predict v, and only there.
  ...(['zero_terminal_snr', 'scale_v_pred_loss_like_noise_pred'] as const),
  ...(['output_name', 'training_comment'] as const),
  ...(['train_data_dir', 'dataset_repeats', 'reg_data_dir', 'dataset_config'] as const),
  ...(['conditioning_data_dir', 'output_dir', 'logging_dir'] as const),
  ...(['network_weights', 'dim_from_weights', 'resume'] as const),
  ...(['base_weights', 'base_weights_multiplier'] as const),
  ...(['seed', 'machine_rank'] as const),
  ...(['caption_prefix', 'caption_suffix', 'sample_prompts', 'sample_prompts_file'] as const),
  ...(['metadata_title', 'metadata_description', 'metadata_tags'] as const),
  ...(['metadata_trigger_phrase', 'metadata_usage_hint', 'metadata_thumbnail'] as const),
  ...(['metadata_merged_from', 'metadata_preprocessor'] as const),
] as const satisfies readonly ParameterKey[];

export type PresetKey = Exclude<ParameterKey, (typeof personalKeys)[number]>;
/** A preset may leave parameters as they are. */
export type PresetValues = Partial<Pick<TrainConfig, PresetKey>>;

const personal: ReadonlySet<ParameterKey> = new Set(personalKeys);
export const isPresetKey = (key: string): key is PresetKey =>
  Object.hasOwn(parameters, key) && !personal.has(key as ParameterKey);

/** In the order of the table. */
export const presetKeys: readonly PresetKey[] = parameterKeys.filter(isPresetKey);

const shape = Object.fromEntries(
  presetKeys.map((key) => [key, parameters[key].schema.exactOptional()]),
);
export const presetValuesSchema = z.strictObject(shape) as unknown as z.ZodType<PresetValues>;

export const presetNameSchema = z
  .string()
  .trim()
  .min(1, { error: 'Give the preset a name.' })
  .max(60, { error: 'The name must have at most 60 characters.' })
  .regex(/^[^\u0000-\u001f\u007f]*$/u, { error: 'The name must be one line of text.' });

export const ownPresetSchema = z.strictObject({
  id: z.string().min(1),
  name: presetNameSchema,
  values: presetValuesSchema,
  /** Keys in its file that mean nothing here or have no usable value. They are left as they are. */
  ignored: z.array(z.string()),
});
export type OwnPreset = z.infer<typeof ownPresetSchema>;

/** Two presets of the same name could not be told apart. */
export const isSameName = (one: string, other: string): boolean =>
  one.trim().toLowerCase() === other.trim().toLowerCase();

/** All that a preset can hold of a config. */
export const presetValuesOf = (config: TrainConfig): PresetValues =>
  Object.fromEntries(presetKeys.map((key) => [key, config[key]]));

/** What can be used of the values in a file, of an earlier or a later version of the app too. */
export function readPresetValues(
  raw: Readonly<Record<string, unknown>>,
): Pick<OwnPreset, 'values' | 'ignored'> {
  const usable = ([key, value]: [string, unknown]): boolean =>
    isPresetKey(key) && parameters[key].schema.safeParse(value).success;
  const entries = Object.entries(raw);
  return {
    values: Object.fromEntries(entries.filter(usable)),
    ignored: entries.filter((entry) => !usable(entry)).map(([key]) => key),
  };
}

/** The parameters that a preset would change, in the order of the table. */
export const changedBy = (values: PresetValues, config: TrainConfig): readonly PresetKey[] =>
  presetKeys.filter((key) => key in values && values[key] !== config[key]);
