import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { kohyaKeyOf } from '../../../shared/kohya/convert';
import { exportKohyaJson } from '../../../shared/kohya/export-json';
import { exportTrainerToml } from '../../../shared/kohya/export-toml';
import { otherModelFields } from '../../../shared/kohya/gui-fields/other-models';
import { sdxlFields } from '../../../shared/kohya/gui-fields/sdxl';
import { importKohyaJson } from '../../../shared/kohya/import-json';
import { importTrainerToml } from '../../../shared/kohya/import-toml';
import {
  defaultTrainConfig,
  parameterKeys,
  parameters,
  type TrainConfig,
} from '../../../shared/parameters';
import { randomConfig, randomNumbers, randomValue } from '../../fakes/random-config';

const configs = Array.from({ length: 80 }, (_, seed): [number, TrainConfig] => [
  seed,
  randomConfig(randomNumbers(seed)),
]);

const fieldsOf = (config: TrainConfig) =>
  JSON.parse(exportKohyaJson(config)) as Readonly<Record<string, unknown>>;
const isField = (key: string) => sdxlFields.some(([name]) => name === key);

describe('nothing is lost', () => {
  test.each(configs)('in kohya_ss’s JSON, config %i', (_, config) => {
    expect(importKohyaJson(exportKohyaJson(config)).config).toEqual(config);
  });

  test.each(configs)('in sd-scripts’ TOML, config %i', (_, config) => {
    expect(importTrainerToml(exportTrainerToml(config)).config).toEqual(config);
  });

  test.each(configs.slice(0, 20))('from the one to the other and back, config %i', (_, config) => {
    const once = importKohyaJson(exportKohyaJson(config)).config;
    const twice = importTrainerToml(exportTrainerToml(once)).config;
    expect(exportKohyaJson(twice)).toBe(exportKohyaJson(config));
  });

  test('of the defaults', () => {
    expect(importKohyaJson(exportKohyaJson(defaultTrainConfig)).config).toEqual(defaultTrainConfig);
    expect(importTrainerToml(exportTrainerToml(defaultTrainConfig)).config).toEqual(
      defaultTrainConfig,
    );
  });
});

/** Every field with every value it may have, in each of the ways that kohya_ss has written it. */
const written = parameterKeys.flatMap((key) => {
  const name = kohyaKeyOf(key);
  if (!isField(name)) return [];
  const random = randomNumbers(key.length);
  const values = Array.from({ length: 8 }, () => randomValue(parameters[key], random));
  return [...new Set([...values, parameters[key].default])].flatMap((value) =>
    [value, String(value ?? '')].map((form) => ({ key, name, form })),
  );
});

test('what is understood of a file of kohya_ss’s is in the file that is saved', () => {
  const lost = written.filter(({ key, name, form }) => {
    // Alone, a rate of 0 or none decides what is trained at all.
    const alone = { learning_rate: 0.0001, unet_lr: 0.0002, [name]: form };
    const { config, notes } = importKohyaJson(JSON.stringify(alone));
    if (notes.some((note) => note.kind === 'changed')) return false;
    const again = importKohyaJson(JSON.stringify(withoutOurs(fieldsOf(config)))).config;
    return !Object.is(again[key], config[key]) && !hasNoWord(key, config);
  });
  expect(lost).toEqual([]);
});

/** As kohya_ss saves it again: with its own fields alone. */
const withoutOurs = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => isField(key)));

/** A sampler that sd-scripts does not have, an empty rate, double quotes and blanks at the end. */
const hasNoWord = (key: string, config: TrainConfig): boolean =>
  (key === 'sample_sampler' && /2m|unipc/u.test(config.sample_sampler)) ||
  (key === 'unet_lr' && config.unet_lr === null);

test.each<[string, unknown]>([
  ['max_grad_norm', 0],
  ['prior_loss_weight', 0],
  ['multires_noise_discount', 0],
  ['learning_rate', 0],
])('a %s of %i stays, also for kohya_ss, which would not send it', (key, value) => {
  const config = { ...defaultTrainConfig, unet_lr: 0.0001, [key]: value };
  const fields = fieldsOf(config);
  expect(fields[key]).toBe(0);
  expect(fields['additional_parameters']).toContain(`--${key}=0`);
});

describe('a file for kohya_ss', () => {
  const config: TrainConfig = {
    ...defaultTrainConfig,
    lora_type: 'LyCORIS/LoHa',
    log_with: 'none',
    max_token_length: '150',
    keep_tokens_separator: '|||',
    caption_prefix: 'a photo of Zoë,',
    use_ema: true,
    multires_noise_iterations: 6,
    quantize_base_model: 'fp8',
    text_encoder_lr: 0.0001,
    text_encoder2_lr: 0.00002,
  };
  const text = exportKohyaJson(config);
  const fields = fieldsOf(config);

  test('has every key that it saves, and one that it does not look at', () => {
    const all = [
      ...sdxlFields.map(([key]) => key),
      ...Object.keys(otherModelFields),
      'lora_atelier',
    ];
    expect(Object.keys(fields)).toEqual(all.sort());
  });

  test('has values of the kinds that it saves', () => {
    const kinds = sdxlFields.map(([key, , fresh]) => [key, typeof fresh]);
    expect(sdxlFields.map(([key]) => [key, typeof fields[key]])).toEqual(kinds);
  });

  test('says the same in its words', () => {
    expect(fields).toMatchObject({
      LoRA_type: 'LyCORIS/LoHa',
      log_with: '',
      max_token_length: 150,
      fp8_base_unet: true,
      noise_offset_type: 'Multires',
      sample_sampler: 'dpmsolver++',
      sdxl: true,
      sdxl_no_half_vae: true,
      t5xxl_lr: 0.00002,
      text_encoder_lr: 0.0001,
      unet_lr: 0.0001,
      xformers: 'sdpa',
    });
    expect(fields['additional_parameters']).toBe('--keep_tokens_separator=|||');
  });

  test('is plain ASCII, as Python writes it', () => {
    expect(text).toMatch(/^[\n -~]*$/u);
    expect(text).toContain(String.raw`Zo\u00eb`);
  });

  test('can be edited there: what is changed by hand counts', () => {
    const edited = { ...fields, sample_sampler: 'ddim', unet_lr: 0.0003 };
    expect(importKohyaJson(JSON.stringify(edited)).config).toEqual({
      ...config,
      sample_sampler: 'ddim',
      unet_lr: 0.0003,
    });
  });
});

test('secrets are not written', () => {
  const secret = { epoch: 1, huggingface_token: 'hf_SECRET', wandb_api_key: 'SECRET' };
  const { config, notes } = importKohyaJson(JSON.stringify(secret));
  const all = [exportKohyaJson(config), exportTrainerToml(config), JSON.stringify(notes)];
  expect(all.join('')).not.toContain('SECRET');
  const toml = importTrainerToml(stringify(secret));
  expect(JSON.stringify(toml)).not.toContain('SECRET');
});

test('sd-scripts finds nothing that it would stumble over', () => {
  const options = parse(exportTrainerToml(defaultTrainConfig));
  // 0 is no number of steps or epochs to do something after.
  expect(Object.entries(options).filter(([, value]) => value === 0)).toEqual([]);
  expect(options).toMatchObject({
    max_train_epochs: 10,
    network_module: 'networks.lora',
    network_train_unet_only: true,
    optimizer_type: 'AdamW',
    resolution: '1024,1024',
    save_model_as: 'safetensors',
  });
});

const { common, presets } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/kohya/sdxl-presets.json'), 'utf8'),
) as {
  readonly common: Readonly<Record<string, unknown>>;
  readonly presets: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

test.each(Object.entries(presets))('%s comes back whole', (_, values) => {
  const { config } = importKohyaJson(JSON.stringify({ ...common, ...values }));
  expect(importKohyaJson(exportKohyaJson(config)).config).toEqual(config);
  expect(importTrainerToml(exportTrainerToml(config)).config).toEqual(config);
  const asKohyaSaves = withoutOurs(fieldsOf(config));
  expect(importKohyaJson(JSON.stringify(asKohyaSaves)).config).toEqual({
    ...config,
    // What no preset says and no field says either.
    sample_sampler: 'dpmsolver++',
  });
});
