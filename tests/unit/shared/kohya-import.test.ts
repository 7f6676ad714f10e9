import { describe, expect, test } from 'vitest';
import { importKohyaJson } from '../../../shared/kohya/import-json';
import type { ImportNote } from '../../../shared/kohya/notes';
import { defaultTrainConfig, trainConfigSchema } from '../../../shared/parameters';
import type { ProblemError } from '../../../shared/result';

const load = (values: Readonly<Record<string, unknown>>) => importKohyaJson(JSON.stringify(values));
const keysOf = (notes: readonly ImportNote[], kind: ImportNote['kind']) =>
  notes.filter((note) => note.kind === kind).map(({ key }) => key);

function problemOf(text: string): ProblemError['problem'] {
  try {
    importKohyaJson(text, 'config.json');
  } catch (error) {
    return (error as ProblemError).problem;
  }
  throw new Error('It was accepted.');
}

/** The guide's run, as kohya_ss saves it. */
const guide = {
  LoRA_type: 'Standard',
  caption_extension: '.txt',
  enable_bucket: true,
  epoch: 20,
  learning_rate: 0.0003,
  lr_scheduler: 'constant',
  max_resolution: '1024,1024',
  max_train_steps: 0,
  mixed_precision: 'bf16',
  network_alpha: 32,
  network_dim: 64,
  optimizer: 'AdamW',
  output_dir: '/p/model',
  output_name: 'rihanna',
  logging_dir: '/p/log',
  pretrained_model_name_or_path: 'stabilityai/stable-diffusion-xl-base-1.0',
  reg_data_dir: '/p/reg',
  sdxl: true,
  text_encoder_lr: 0,
  train_batch_size: 4,
  train_data_dir: '/p/img',
  unet_lr: 0.0003,
  xformers: 'xformers',
};

test('the guide’s config arrives as it is', () => {
  const { config, notes } = load(guide);
  expect(trainConfigSchema.safeParse(config).success).toBe(true);
  expect(config).toMatchObject({
    lora_type: 'Standard',
    epoch: 20,
    learning_rate: 0.0003,
    network_dim: 64,
    network_alpha: 32,
    train_batch_size: 4,
    unet_lr: 0.0003,
  });
  expect(notes.filter(({ kind }) => kind !== 'defaulted')).toEqual([]);
});

test('numbers may be strings, whole numbers fractions of zero, toggles words', () => {
  const { config, notes } = load({
    train_batch_size: '4',
    learning_rate: '3e-4',
    gradient_accumulation_steps: 1.0,
    enable_bucket: 'True',
    gradient_checkpointing: 0,
    network_alpha: ' 16.5 ',
  });
  expect(config).toMatchObject({
    train_batch_size: 4,
    learning_rate: 0.0003,
    gradient_accumulation_steps: 1,
    enable_bucket: true,
    gradient_checkpointing: false,
    network_alpha: 16.5,
  });
  expect(keysOf(notes, 'changed')).toEqual([]);
});

test('empty strings and null mean that nothing is set', () => {
  const { config } = load({
    unet_lr: '',
    seed: null,
    epoch: '',
    reg_data_dir: null,
    training_comment: '',
  });
  expect(config).toMatchObject({
    unet_lr: null,
    seed: defaultTrainConfig.seed,
    epoch: defaultTrainConfig.epoch,
    reg_data_dir: '',
    training_comment: '',
  });
});

test('zeros that mean something are kept', () => {
  expect(load({ max_grad_norm: 0, prior_loss_weight: '0' }).config).toMatchObject({
    max_grad_norm: 0,
    prior_loss_weight: 0,
  });
});

test('values out of range are taken to its end, and that is said', () => {
  const { config, notes } = load({ network_dim: 1e6, epoch: 2.6, min_bucket_reso: -1 });
  expect(config).toMatchObject({ network_dim: 100000, epoch: 3, min_bucket_reso: 64 });
  expect(keysOf(notes, 'changed').sort()).toEqual(['epoch', 'min_bucket_reso', 'network_dim']);
});

test.each([
  ['lr_scheduler', 'sinus', 'cosine'],
  ['mixed_precision', 'fp8', 'bf16'],
  ['caption_extension', 'txt', '.txt'],
])('%s %s becomes %s, and that is said', (key, value, expected) => {
  const { config, notes } = load({ [key]: value });
  expect(config).toMatchObject({ [key]: expected });
  expect(keysOf(notes, 'changed')).toEqual([key]);
});

test('LoRA_type is our lora_type, under either name', () => {
  expect(load({ LoRA_type: 'LyCORIS/LoHa' }).config.lora_type).toBe('LyCORIS/LoHa');
  expect(keysOf(load({ LoRA_type: 'Flux1' }).notes, 'changed')).toEqual(['LoRA_type']);
  expect(keysOf(load({ lora_type: 'Standard' }).notes, 'unknown')).toEqual([]);
});

test('max_train_epochs wins over max_train_steps, which wins over epoch', () => {
  expect(load({ epoch: 3, max_train_steps: '1600', max_train_epochs: 7 }).config).toMatchObject({
    epoch: 7,
    max_train_steps: 0,
  });
  expect(load({ epoch: 3, max_train_steps: '1600', max_train_epochs: 0 }).config).toMatchObject({
    epoch: 3,
    max_train_steps: 1600,
  });
});

test('what is asked for and not done is named; what does nothing is not', () => {
  const { notes } = load({
    epoch: 1,
    train_lora_ggpo: true,
    stop_text_encoder_training: '50',
    additional_parameters: '--full_fp16',
    resume: '',
    save_model_as: 'safetensors',
    xformers: true,
    clip_skip: 2,
    sdxl_no_half_vae: false,
    hunyuan_text_encoder: 'x',
    my_own_key: 1,
  });
  expect(keysOf(notes, 'unsupported').sort()).toEqual([
    'full_fp16',
    'stop_text_encoder_training',
    'train_lora_ggpo',
  ]);
  expect(keysOf(notes, 'unknown')).toEqual(['my_own_key']);
});

test('samples are understood as kohya_ss saves them', () => {
  const { config, notes } = load({
    sample_every_n_epochs: 0,
    sample_every_n_steps: '100',
    sample_prompts: 'masterpiece, 1girl --n lowres --w 512 --d 1\n# a comment\n\nphoto of nova\n',
    sample_sampler: 'euler_a',
  });
  expect(config).toMatchObject({
    sample_every_n_epochs: 0,
    sample_every_n_steps: 100,
    sample_at_first: true,
    sample_prompts: 'masterpiece, 1girl --n lowres --w 512 --d 1\n# a comment\n\nphoto of nova',
    sample_sampler: 'euler_a',
  });
  expect(notes.filter(({ kind }) => kind !== 'defaulted')).toEqual([]);
  expect(load({ epoch: 1, sample_prompts: '' }).config.sample_prompts).toBe('');
  expect(keysOf(load({ sample_sampler: 'ddpm' }).notes, 'changed')).toEqual(['sample_sampler']);
});

test.each([
  [0, 64],
  ['0', 64],
  ['', defaultTrainConfig.network_alpha],
  [0.5, 0.5],
])('an alpha of %j becomes %j at rank 64', (alpha, expected) => {
  expect(load({ network_dim: 64, network_alpha: alpha }).config.network_alpha).toBe(expected);
});

test.each([
  ['lora_network_weights', 'network_weights', 'a.safetensors'],
  ['conv_dims', 'conv_block_dims', '4,4'],
  ['conv_alphas', 'conv_block_alphas', '1,1'],
])('%s of earlier versions is %s', (old, key, value) => {
  const { config, notes } = load({ epoch: 1, [old]: value });
  expect(config).toMatchObject({ [key]: value });
  expect(keysOf(notes, 'unknown')).toEqual([]);
  expect(load({ epoch: 1, [old]: value, [key]: 'newer' }).config).toMatchObject({ [key]: 'newer' });
});

test.each([
  ['', 'none', []],
  ['tensorboard', 'tensorboard', []],
  ['wandb', 'tensorboard', ['log_with']],
  ['all', 'tensorboard', ['log_with']],
])('log_with %j is %s', (given, expected, changed) => {
  const { config, notes } = load({ log_with: given });
  expect(config.log_with).toBe(expected);
  expect(keysOf(notes, 'changed')).toEqual(changed);
});

describe('refused', () => {
  test.each(['flux1_checkbox', 'sd3_checkbox', 'v2', 'lumina_checkbox'])('%s', (key) => {
    const { code, message } = problemOf(JSON.stringify({ ...guide, [key]: true }));
    expect(code).toBe('not_sdxl');
    expect(message).toContain(key);
    expect(() => load({ ...guide, [key]: false })).not.toThrow();
  });

  test('a file cut in half, with the place where it breaks', () => {
    const text = JSON.stringify(guide, null, 2);
    const { code, message } = problemOf(text.slice(0, text.indexOf('"network_dim"') + 5));
    expect(code).toBe('json_broken');
    expect(message).toBe('config.json is not whole JSON: it breaks at line 12, column 8.');
  });

  test('a stray character, with its place', () => {
    expect(problemOf('{\n  "epoch": 1,\n  oops\n}').message).toContain('line 3, column 3');
  });

  test.each(['[1, 2]', '"text"', '{}', '{"name": "some-package"}'])('%s is no config', (text) => {
    expect(problemOf(text).code).toBe('not_a_config');
  });

  test('a word where a number belongs', () => {
    const { code, message } = problemOf('{"train_batch_size": "many"}');
    expect(code).toBe('bad_value');
    expect(message).toContain('Train batch size (train_batch_size) is "many"');
    expect(problemOf('{"epoch": 1, "max_train_epochs": "ten"}').message).toContain('is "ten"');
  });
});

test('an absent sdxl flag is no matter, one that is off is said', () => {
  expect(keysOf(load({ epoch: 1 }).notes, 'changed')).toEqual([]);
  expect(keysOf(load({ epoch: 1, sdxl: false }).notes, 'changed')).toEqual(['sdxl']);
});

test('a byte order mark is no reason to refuse a file', () => {
  expect(importKohyaJson('\uFEFF{"epoch": 4}').config.epoch).toBe(4);
});

test('what is not in the file takes our default, and that is said', () => {
  const { config, notes } = load({ epoch: 1 });
  expect({ ...config, epoch: 0 }).toEqual({ ...defaultTrainConfig, epoch: 0 });
  expect(keysOf(notes, 'defaulted')).toHaveLength(Object.keys(defaultTrainConfig).length - 1);
});
