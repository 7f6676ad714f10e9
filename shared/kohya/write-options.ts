import { parameterKeys, type ParameterKey, type TrainConfig } from '../parameters';
import { moduleOf, networkArgumentsOf } from './network-module';
import { samplerThere, secondRate } from './there';
import { trainerDefault } from './trainer-defaults';
import { keyOfOption, trainerFates } from './trainer-options';

/** A config in the options of sd-scripts. */

type OptionValue = string | number | boolean | readonly (string | number)[];
type Options = Readonly<Record<string, OptionValue>>;

/** What sd-scripts must be told to train as we do. */
const always: Options = { no_half_vae: true, sdpa: true, save_model_as: 'safetensors' };

/** Parameters whose option is not said by their value alone. */
const together: ReadonlySet<ParameterKey> = new Set([
  'conv_dim',
  'epoch',
  'log_with',
  'lr_warmup',
  'max_train_steps',
  'quantize_base_model',
  'text_encoder_lr',
  'unet_lr',
]);

const optionNames: ReadonlyMap<ParameterKey, string> = new Map(
  Object.keys(trainerFates).flatMap((name): [ParameterKey, string][] => {
    const key = keyOfOption(name);
    return key === null || together.has(key) ? [] : [[key, name]];
  }),
);

/** The config as sd-scripts' `config_file` has it, by the names of its options, in their order. */
export function writeOptions(config: TrainConfig): Options {
  const options: Record<string, OptionValue> = {
    ...always,
    ...lengthOf(config),
    ...ratesOf(config),
    ...warmupOf(config),
    ...networkOf(config),
    ...(config.quantize_base_model === 'fp8' && { fp8_base_unet: true }),
    ...loggingOf(config),
  };
  for (const key of parameterKeys) {
    const name = optionNames.get(key);
    const value = valueOf(key, config);
    if (name !== undefined && !goesWithoutSaying(key, value)) options[name] = value;
  }
  return Object.fromEntries(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Off without being said. There are options that fail at a 0 which means off. */
const goesWithoutSaying = (key: ParameterKey, value: OptionValue): boolean =>
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (!value && value === trainerDefault(key));

/** The form that an option's value has, where it is not that of the parameter. */
const forms: Partial<Record<ParameterKey, (config: TrainConfig) => OptionValue>> = {
  base_weights: ({ base_weights }) => base_weights.split('\n').filter((line) => line.trim() !== ''),
  base_weights_multiplier: (config) => numbersOf(config.base_weights_multiplier),
  lr_scheduler_args: (config) => wordsOf(config.lr_scheduler_args),
  max_token_length: (config) =>
    config.max_token_length === '75' ? '' : Number(config.max_token_length),
  optimizer_args: (config) => wordsOf(config.optimizer_args),
  resize_interpolation: (config) =>
    config.resize_interpolation === 'auto' ? '' : config.resize_interpolation,
  sample_sampler: samplerThere,
  vae_batch_size: ({ vae_batch_size }) => Math.max(1, vae_batch_size),
};

const valueOf = (key: ParameterKey, config: TrainConfig): OptionValue =>
  forms[key]?.(config) ?? config[key] ?? '';

const wordsOf = (text: string): string[] => text.split(/\s+/u).filter((word) => word !== '');

/** The numbers of a text; its words where they are not all numbers. */
function numbersOf(text: string): readonly (string | number)[] {
  const words = wordsOf(text);
  return words.every((word) => Number.isFinite(Number(word))) ? words.map(Number) : words;
}

const lengthOf = ({ epoch, max_train_steps }: TrainConfig): Options =>
  max_train_steps > 0 ? { max_train_steps } : { max_train_epochs: epoch };

function ratesOf(config: TrainConfig): Options {
  const { unet_lr, text_encoder_lr } = config;
  const second = secondRate(config);
  const unet: Options = unet_lr === null ? {} : { unet_lr };
  if (text_encoder_lr === 0 && second === 0 && unet_lr !== 0)
    return { ...unet, network_train_unet_only: true };
  return {
    ...(unet_lr === 0 ? { network_train_text_encoder_only: true } : unet),
    text_encoder_lr: second === text_encoder_lr ? [second] : [text_encoder_lr, second],
  };
}

/** Below 1 it is a share of the steps. */
function warmupOf({ lr_warmup, lr_warmup_steps }: TrainConfig): Options {
  if (lr_warmup_steps > 0) return { lr_warmup_steps };
  return lr_warmup > 0 ? { lr_warmup_steps: Math.min(lr_warmup / 100, 0.9999) } : {};
}

function networkOf(config: TrainConfig): Options {
  const values = networkArgumentsOf(config);
  return {
    network_module: moduleOf(config.lora_type),
    ...(values.length > 0 && { network_args: values }),
  };
}

/** It logs where it is given a folder. */
const loggingOf = ({ log_with, logging_dir }: TrainConfig): Options =>
  log_with === 'none' || logging_dir === '' ? {} : { log_with, logging_dir };
