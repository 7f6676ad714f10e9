import { parameterKeys, type ParameterKey, type TrainConfig } from '../parameters';
import { kohyaKeyOf } from './convert';
import { otherModelFields } from './gui-fields/other-models';
import type { FieldValue } from './gui-fields/rows';
import { sdxlFields } from './gui-fields/sdxl';
import { samplerThere, secondRate } from './there';
import { trainerDefault } from './trainer-defaults';
import { trainerFates } from './trainer-options';

/** A config in the fields of kohya_ss. */

const fresh: Readonly<Record<string, FieldValue>> = {
  ...Object.fromEntries(sdxlFields.map(([key, , value]) => [key, value])),
  ...otherModelFields,
};

/** What kohya_ss must be told to train as we do. */
const always: Readonly<Record<string, FieldValue>> = {
  sdxl: true,
  sdxl_no_half_vae: true,
  xformers: 'sdpa',
};

/** Every key that kohya_ss saves, so that nothing stays of what it had on the screen. */
export function writeFields(config: TrainConfig): Readonly<Record<string, FieldValue>> {
  const own = parameterKeys
    .map((key) => [kohyaKeyOf(key), fieldValue(key, config)] as const)
    .filter(([name]) => name in fresh);
  return {
    ...fresh,
    ...always,
    ...Object.fromEntries(own),
    fp8_base_unet: config.quantize_base_model === 'fp8',
    multi_gpu: config.num_processes > 1,
    noise_offset_type: noiseType(config),
    t5xxl_lr: secondRate(config) === config.text_encoder_lr ? 0 : secondRate(config),
    additional_parameters: additionalParametersOf(config),
  };
}

/** A value in the form that its field has there. */
export function fieldValue(key: ParameterKey, config: TrainConfig): FieldValue {
  const value = config[key];
  if (key === 'sample_sampler') return samplerThere(config);
  if (key === 'unet_lr') return value ?? config.learning_rate;
  if (key === 'max_token_length') return Number(value);
  if (key === 'log_with') return value === 'none' ? '' : String(value);
  if (key === 'block_lr_zero_threshold') return value === 0 ? '' : String(value);
  // Double quotes are taken off there.
  if (key.endsWith('_args')) return String(value).replaceAll('"', "'");
  return value ?? '';
}

const hasOffset = (config: TrainConfig): boolean =>
  config.noise_offset !== 0 || config.adaptive_noise_scale !== 0;

/** The values of the other kind are not sent. */
const noiseType = (config: TrainConfig): string =>
  config.multires_noise_iterations > 0 && !hasOffset(config) ? 'Multires' : 'Original';

/** Options of sd-scripts that kohya_ss has no field for, or whose field would not be sent. */
function additionalParametersOf(config: TrainConfig): string {
  const withoutField = parameterKeys.filter(
    (key) => !(kohyaKeyOf(key) in fresh) && config[key] !== trainerDefault(key),
  );
  const options = [...withoutField.flatMap((key) => optionOf(key, config)), ...unsent(config)];
  return options.join(' ');
}

function optionOf(key: ParameterKey, config: TrainConfig): string[] {
  const hasPrompts = config.sample_prompts !== '' || config.sample_prompts_file !== '';
  if (key === 'sample_at_first' && !hasPrompts) return [];
  // A field of prompts is written into a file, which comes before this one.
  const name =
    key === 'sample_prompts_file' && config.sample_prompts === '' ? 'sample_prompts' : key;
  if (trainerFates[name]?.kind !== 'done') return [];
  const value = config[key];
  if (typeof value === 'boolean') return value ? [`--${name}`] : [];
  return oneOption(name, key === 'base_weights' ? String(value).trim().split(/\n+/u) : [value]);
}

/** kohya_ss divides them at blanks, whatever quotes there are: what has blanks in it cannot be said. */
function oneOption(name: string, values: readonly unknown[]): string[] {
  const texts = values.map(String);
  if (texts.some((text) => text === '' || /[\s"']|\\\\/u.test(text))) return [];
  return texts.length === 1 ? [`--${name}=${texts.join('')}`] : [`--${name}`, ...texts];
}

/** kohya_ss leaves out zeros that sd-scripts does not mean, and the second kind of noise. */
function unsent(config: TrainConfig): string[] {
  const zeros = (
    ['max_grad_norm', 'prior_loss_weight', 'learning_rate', 'multires_noise_discount'] as const
  ).filter((key) => config[key] === 0);
  const isBoth = config.multires_noise_iterations > 0 && hasOffset(config);
  const both = isBoth ? (['multires_noise_iterations', 'multires_noise_discount'] as const) : [];
  return [...new Set([...zeros, ...both])].map((key) => `--${key}=${String(config[key])}`);
}
