import { describe, expect, test } from 'vitest';
import { importKohyaJson } from '../../../shared/kohya/import-json';
import type { ImportNote } from '../../../shared/kohya/notes';
import { irrelevantKeys, unsupportedKeys } from '../../../shared/kohya/other-keys';
import { parameterKeys, parameters, type TrainConfig } from '../../../shared/parameters';

const load = (values: Readonly<Record<string, unknown>>) => importKohyaJson(JSON.stringify(values));
const keysOf = (notes: readonly ImportNote[], kind: ImportNote['kind']) =>
  notes.filter((note) => note.kind === kind).map(({ key }) => key);

type Case = readonly [given: Record<string, unknown>, taken: Partial<TrainConfig>];

test('no key of a parameter is also left out', () => {
  const keys = parameterKeys.flatMap((key) => {
    const row = parameters[key];
    return 'kohyaKey' in row ? [key, row.kohyaKey] : [key];
  });
  expect(keys.filter((key) => key in unsupportedKeys || irrelevantKeys.has(key))).toEqual([]);
});

test('a run as the GUI saves it arrives whole', () => {
  const { config, notes } = load({
    adaptive_noise_scale: '0.01',
    cache_latents_to_disk: true,
    caption_dropout_every_n_epochs: 2.0,
    caption_dropout_rate: '0.1',
    color_aug: false,
    debiased_estimation_loss: true,
    flip_aug: 'True',
    full_bf16: true,
    huber_schedule: 'exponential',
    keep_tokens: '1',
    loss_type: 'smooth_l1',
    lr_scheduler: 'piecewise_constant',
    lr_scheduler_args: 'T_max="1000"',
    lr_scheduler_num_cycles: '3',
    lr_scheduler_power: '2.0',
    lr_scheduler_type: 'CosineAnnealingLR',
    lr_warmup_steps: '100',
    masked_loss: true,
    max_grad_norm: 0,
    max_timestep: 900,
    min_snr_gamma: 5,
    min_timestep: 100,
    noise_offset: '0.0357',
    noise_offset_random_strength: true,
    noise_offset_type: 'Original',
    optimizer: 'prodigy',
    optimizer_args: '"decouple=True" weight_decay=0.01',
    prior_loss_weight: 0,
    random_crop: 1,
    scale_v_pred_loss_like_noise_pred: true,
    sdxl_cache_text_encoder_outputs: false,
    sdxl_no_half_vae: false,
    shuffle_caption: true,
    v_parameterization: true,
    v_pred_like_loss: 0,
    vae: '/models/vae.safetensors',
    vae_batch_size: 4,
    weighted_captions: true,
  });
  expect(config).toMatchObject({
    adaptive_noise_scale: 0.01,
    cache_latents_to_disk: true,
    cache_text_encoder_outputs: false,
    caption_dropout_every_n_epochs: 2,
    caption_dropout_rate: 0.1,
    debiased_estimation_loss: true,
    flip_aug: true,
    full_bf16: true,
    huber_schedule: 'exponential',
    keep_tokens: 1,
    loss_type: 'smooth_l1',
    lr_scheduler: 'piecewise_constant',
    lr_scheduler_args: 'T_max=1000',
    lr_scheduler_num_cycles: 3,
    lr_scheduler_power: 2,
    lr_scheduler_type: 'CosineAnnealingLR',
    lr_warmup_steps: 100,
    masked_loss: true,
    max_grad_norm: 0,
    max_timestep: 900,
    min_snr_gamma: 5,
    min_timestep: 100,
    noise_offset: 0.0357,
    noise_offset_random_strength: true,
    optimizer: 'Prodigy',
    optimizer_args: 'decouple=True weight_decay=0.01',
    prior_loss_weight: 0,
    random_crop: true,
    scale_v_pred_loss_like_noise_pred: true,
    shuffle_caption: true,
    v_parameterization: true,
    v_pred_like_loss: 0,
    vae: '/models/vae.safetensors',
    vae_batch_size: 4,
    weighted_captions: true,
  });
  expect(notes.filter(({ kind }) => kind !== 'defaulted')).toEqual([]);
});

test.each<Case>([
  [{ max_token_length: 75 }, { max_token_length: '75' }],
  [{ max_token_length: '150' }, { max_token_length: '150' }],
  [{ max_token_length: '225.0' }, { max_token_length: '225' }],
  [{ optimizer: 'ADAMW8BIT' }, { optimizer: 'AdamW8bit' }],
  [{ optimizer: 'my.own.Optimizer' }, { optimizer: 'my.own.Optimizer' }],
  [{ use_8bit_adam: true }, { optimizer: 'AdamW8bit' }],
  [{ use_8bit_adam: true, optimizer: 'Lion' }, { optimizer: 'Lion' }],
  [{ lr_scheduler: 'adafactor' }, { lr_scheduler: 'adafactor' }],
  [{ lr_warmup_steps: 0.05 }, { lr_warmup: 5, lr_warmup_steps: 0 }],
  [{ lr_warmup_steps: '' }, { lr_warmup_steps: 0 }],
  [{ shuffle_caption: null }, { shuffle_caption: false }],
  [{ dataset_config: '/d.toml' }, { dataset_config: '/d.toml' }],
  [{ learning_rate: 0 }, { learning_rate: 0 }],
  [{ multires_noise_discount: 0 }, { multires_noise_discount: 0 }],
])('%j is %j, without a word', (given, taken) => {
  const { config, notes } = load(given);
  expect(config).toMatchObject(taken);
  expect(notes.filter(({ kind }) => kind !== 'defaulted')).toEqual([]);
});

test.each<Case>([
  [{ max_timestep: 0 }, { max_timestep: 1000 }],
  [{ huber_c: '0' }, { huber_c: 0.1 }],
  [{ huber_scale: 0 }, { huber_scale: 1 }],
  [{ max_token_length: 100 }, { max_token_length: '75' }],
  [{ mixed_precision: 'fp8' }, { mixed_precision: 'bf16', quantize_base_model: 'fp8' }],
  [{ fp8_base: 'true' }, { quantize_base_model: 'fp8' }],
  [{ fp8_base_unet: true }, { quantize_base_model: 'fp8' }],
])('%j becomes %j, and that is said', (given, taken) => {
  const { config, notes } = load(given);
  expect(config).toMatchObject(taken);
  expect(keysOf(notes, 'changed')).toEqual(Object.keys(given));
  expect(keysOf(notes, 'unknown')).toEqual([]);
});

test('full_fp16 is refused with its reason', () => {
  const { notes } = load({ epoch: 1, full_fp16: true });
  const [note] = notes.filter(({ kind }) => kind === 'unsupported');
  expect(note?.key).toBe('full_fp16');
  expect(note?.message).toContain('small steps are lost');
});

describe('the kind of noise decides which values count', () => {
  const both = { noise_offset: 0.05, multires_noise_iterations: 6, multires_noise_discount: 0.2 };

  test('Original', () => {
    const { config, notes } = load({ ...both, noise_offset_type: 'Original' });
    expect(config).toMatchObject({ ...both, multires_noise_iterations: 0 });
    expect(keysOf(notes, 'changed')).toEqual(['multires_noise_iterations']);
  });

  test('Multires', () => {
    const { config, notes } = load({ ...both, noise_offset_type: 'Multires' });
    expect(config).toMatchObject({ ...both, noise_offset: 0 });
    expect(keysOf(notes, 'changed')).toEqual(['noise_offset']);
  });

  test('without it both do', () => {
    expect(load(both).config).toMatchObject(both);
  });
});

describe('learning rates', () => {
  test.each<Case>([
    [{ text_encoder_lr: '5e-5' }, { text_encoder_lr: 0.00005, text_encoder2_lr: null }],
    [{ text_encoder_lr: [5e-5, 5e-5] }, { text_encoder_lr: 0.00005, text_encoder2_lr: null }],
    [
      { text_encoder_lr: 0, unet_lr: 2e-4 },
      { text_encoder_lr: 0, unet_lr: 0.0002 },
    ],
    [
      { text_encoder_lr: 1e-4, unet_lr: 0 },
      { text_encoder_lr: 0.0001, unet_lr: 0 },
    ],
    [{ unet_lr: 0 }, { text_encoder_lr: 0, unet_lr: null }],
    [{ unet_lr: '' }, { text_encoder_lr: 0, unet_lr: null }],
    [{ text_encoder_lr: '' }, { text_encoder_lr: 0, unet_lr: null }],
    [{ network_train_unet_only: true, text_encoder_lr: 1e-4 }, { text_encoder_lr: 0 }],
    [
      { network_train_text_encoder_only: true, learning_rate: 2e-4 },
      { text_encoder_lr: 0.0002, unet_lr: 0 },
    ],
  ])('%j is %j', (given, taken) => {
    const { config, notes } = load(given);
    expect(config).toMatchObject(taken);
    expect(notes.filter(({ kind }) => kind !== 'defaulted')).toEqual([]);
  });

  test.each<Case>([
    [{ text_encoder_lr: [5e-5, 1e-5] }, { text_encoder_lr: 0.00005, text_encoder2_lr: 0.00001 }],
    [{ text_encoder_lr: '5e-5 0' }, { text_encoder_lr: 0.00005, text_encoder2_lr: 0 }],
    [
      { unet_lr: '', text_encoder_lr: 1e-4 },
      { text_encoder_lr: 0.0001, unet_lr: 0 },
    ],
    [
      { learning_rate: '3e-4', text_encoder_lr: 0, unet_lr: 0 },
      { learning_rate: 0.0003, text_encoder_lr: 0.0003, text_encoder2_lr: null, unet_lr: null },
    ],
    [
      { text_encoder_lr: 1e-4, t5xxl_lr: '2e-5' },
      { text_encoder_lr: 0.0001, text_encoder2_lr: 0.00002 },
    ],
  ])('%j is %j, and that is said', (given, taken) => {
    const { config, notes } = load(given);
    expect(config).toMatchObject(taken);
    expect(keysOf(notes, 'changed')).toHaveLength(1);
  });

  test('our own files say what they mean', () => {
    const ours = { lora_type: 'Standard', unet_lr: 0, text_encoder_lr: 0, text_encoder2_lr: 1e-5 };
    const { config, notes } = load(ours);
    expect(config).toMatchObject(ours);
    expect(keysOf(notes, 'changed')).toEqual([]);
  });

  test('a word is no rate', () => {
    expect(() => load({ text_encoder_lr: '1e-4 fast' })).toThrow('text_encoder_lr');
  });
});
