import { parse, stringify } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { exportTrainerToml } from '../../../shared/kohya/export-toml';
import { importTrainerToml } from '../../../shared/kohya/import-toml';
import type { ImportNote } from '../../../shared/kohya/notes';
import { defaultTrainConfig, type TrainConfig } from '../../../shared/parameters';
import { loraTypes } from '../../../shared/parameters/lora-types';
import type { ProblemError } from '../../../shared/result';

/** As kohya_ss writes it on a start; what is off it leaves out. */
const ofKohya = `
bucket_reso_steps = 64
cache_latents = true
caption_extension = ".txt"
clip_skip = 1
dynamo_backend = "no"
enable_bucket = true
gradient_accumulation_steps = 1
huber_c = 0.1
huber_scale = 1
huber_schedule = "snr"
learning_rate = 0.0003
logging_dir = "/p/log"
loss_type = "l2"
lr_scheduler = "cosine"
lr_scheduler_args = []
lr_scheduler_num_cycles = 1
lr_scheduler_power = 1
lr_warmup_steps = 0.1
max_bucket_reso = 2048
max_data_loader_n_workers = 0
max_grad_norm = 1
max_timestep = 1000
max_train_epochs = 20
min_bucket_reso = 256
mixed_precision = "bf16"
network_alpha = 32
network_args = ["conv_dim=8", "conv_alpha=4"]
network_dim = 64
network_module = "networks.lora"
network_train_unet_only = true
no_half_vae = true
optimizer_args = ["weight_decay=0.1", "betas=0.9,0.99"]
optimizer_type = "AdamW8bit"
output_dir = "/p/model"
output_name = "nova"
pretrained_model_name_or_path = "/m/sdxl.safetensors"
prior_loss_weight = 1
resolution = "1024,1024"
sample_prompts = "/p/model/sample/prompt.txt"
sample_sampler = "euler_a"
save_every_n_epochs = 1
save_model_as = "safetensors"
save_precision = "bf16"
train_batch_size = 4
train_data_dir = "/p/img"
unet_lr = 0.0003
wandb_api_key = ""
xformers = true
`;

const keysOf = (notes: readonly ImportNote[], kind: ImportNote['kind']) =>
  notes.filter((note) => note.kind === kind).map(({ key }) => key);

const load = (options: Readonly<Record<string, unknown>>) => importTrainerToml(stringify(options));

function problemOf(text: string): ProblemError['problem'] {
  try {
    importTrainerToml(text, 'config.toml');
  } catch (error) {
    return (error as ProblemError).problem;
  }
  throw new Error('It was accepted.');
}

test('a run of kohya_ss arrives as it is, without a word', () => {
  const { config, notes, taken } = importTrainerToml(ofKohya);
  expect(config).toMatchObject({
    lora_type: 'Kohya LoCon',
    network_dim: 64,
    network_alpha: 32,
    conv_dim: 8,
    conv_alpha: 4,
    epoch: 20,
    max_train_steps: 0,
    learning_rate: 0.0003,
    unet_lr: 0.0003,
    text_encoder_lr: 0,
    lr_warmup: 10,
    lr_warmup_steps: 0,
    optimizer: 'AdamW8bit',
    optimizer_args: 'weight_decay=0.1 betas=0.9,0.99',
    max_resolution: '1024,1024',
    sample_prompts: '',
    sample_prompts_file: '/p/model/sample/prompt.txt',
    logging_dir: '/p/log',
  });
  expect(notes.filter(({ kind }) => kind !== 'defaulted')).toEqual([]);
  expect(taken).toContain('network_dim');
  expect(taken).not.toContain('flip_aug');
});

test('what it leaves out is as sd-scripts has it, and that is said', () => {
  const { config, notes } = load({ output_name: 'nova' });
  expect(config).toMatchObject({
    max_train_steps: 1600,
    learning_rate: 0.000002,
    network_dim: 4,
    enable_bucket: false,
    gradient_checkpointing: false,
    text_encoder_lr: 0.000002,
    sample_at_first: false,
    sample_sampler: 'ddim',
  });
  const note = notes.find(({ key }) => key === 'max_train_steps');
  expect(note).toEqual({
    kind: 'defaulted',
    key: 'max_train_steps',
    message: 'max_train_steps is not in the file: 1600 is used.',
  });
});

test('sections are as if they were not', () => {
  const { config } = importTrainerToml('[model]\noutput_name = "a"\n[train]\nseed = 7\n');
  expect(config).toMatchObject({ output_name: 'a', seed: 7 });
});

test.each<[Record<string, unknown>, Partial<TrainConfig>]>([
  [{ unet_lr: 0.0001 }, { unet_lr: 0.0001, text_encoder_lr: 0.001, text_encoder2_lr: null }],
  [{ text_encoder_lr: [0.00005] }, { unet_lr: null, text_encoder_lr: 0.00005 }],
  [{ network_train_unet_only: true }, { unet_lr: null, text_encoder_lr: 0 }],
  [{ network_train_text_encoder_only: true }, { unet_lr: 0, text_encoder_lr: 0.001 }],
])('beside a rate of 0.001 %j is %j', (options, expected) => {
  const { config, notes } = load({ learning_rate: 0.001, ...options });
  expect(config).toMatchObject(expected);
  expect(keysOf(notes, 'changed')).toEqual([]);
});

test.each<[Record<string, unknown>, ImportNote['kind'], string[]]>([
  [{ text_encoder_lr: [0.0001, 0.00001] }, 'changed', ['text_encoder_lr']],
  [{ network_module: 'networks.oft' }, 'changed', ['network_module']],
  [{ seed: 0 }, 'changed', ['seed']],
  [{ log_with: 'wandb' }, 'changed', ['log_with']],
  [{ fp8_base: true }, 'changed', ['fp8_base']],
  [{ network_args: ['who=me'] }, 'unsupported', ['who']],
  [{ full_fp16: true }, 'unsupported', ['full_fp16']],
  [{ clip_skip: 2, dynamo_backend: 'inductor' }, 'unsupported', ['dynamo_backend']],
  [{ huggingface_repo_id: 'a/b' }, 'unsupported', ['huggingface_repo_id']],
  [{ use_ema: true }, 'unsupported', ['use_ema']],
  [{ my_own: 1 }, 'unknown', ['my_own']],
])('%j is told as %s', (options, kind, keys) => {
  const { notes } = load({ epoch_is_no_option: false, output_name: 'a', ...options });
  expect(keysOf(notes, kind)).toEqual(keys);
});

test.each(loraTypes)('%s has a module and comes back from it', (type) => {
  const text = exportTrainerToml({ ...defaultTrainConfig, lora_type: type });
  const { lora_atelier: _, ...options } = parse(text);
  expect(importTrainerToml(stringify(options)).config.lora_type).toBe(type);
});

test('zeros that mean something reach sd-scripts; those that mean off are not said', () => {
  const zeros = {
    learning_rate: 0,
    max_grad_norm: 0,
    multires_noise_discount: 0,
    prior_loss_weight: 0,
    unet_lr: 0,
    lr_scheduler_power: 0,
  };
  const off = { save_every_n_epochs: 0, sample_every_n_epochs: 0, min_snr_gamma: 0 };
  const text = exportTrainerToml({
    ...defaultTrainConfig,
    ...zeros,
    ...off,
    text_encoder_lr: 0.0001,
  });
  const { lora_atelier: _, ...options } = parse(text);
  const { unet_lr: __, ...others } = zeros;
  expect(options).toMatchObject({ ...others, network_train_text_encoder_only: true });
  expect(Object.keys(off).filter((key) => key in options)).toEqual([]);
  expect(importTrainerToml(stringify(options)).config).toMatchObject({ ...zeros, ...off });
});

test('what was edited by hand counts', () => {
  const config = { ...defaultTrainConfig, use_ema: true, unet_lr: null, network_dim: 16 };
  const edited = exportTrainerToml(config)
    .replace('network_dim = 16', 'network_dim = 8')
    .replace('sample_sampler = "dpmsolver++"', 'sample_sampler = "ddim"');
  expect(importTrainerToml(edited).config).toEqual({
    ...config,
    network_dim: 8,
    sample_sampler: 'ddim',
  });
});

describe('refused', () => {
  test('a file cut in half, with the place where it breaks', () => {
    expect(problemOf('seed = 1\nresolution = "1024')).toMatchObject({
      code: 'toml_broken',
      message: 'config.toml is not whole TOML: it breaks at line 2, column 14.',
    });
  });

  test.each(['[[datasets]]\nresolution = 1024\n', '[general]\nenable_bucket = true\n'])(
    'a dataset, with where it belongs: %s',
    (text) => {
      const { code, hint } = problemOf(text);
      expect(code).toBe('dataset_config');
      expect(hint).toContain('Dataset config file (.toml, optional)');
    },
  );

  test.each(['', '[project]\nname = "x"\n'])('what is no config: %j', (text) => {
    expect(problemOf(text).code).toBe('not_a_config');
  });

  test('another model', () => {
    expect(problemOf('v2 = true\n').code).toBe('not_sdxl');
  });

  test('a word where a number belongs', () => {
    expect(problemOf('train_batch_size = "many"\n').code).toBe('bad_value');
  });
});
