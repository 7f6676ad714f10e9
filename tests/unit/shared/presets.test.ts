import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  defaultTrainConfig,
  parameterKeys,
  parameterProblems,
  parameters,
  trainConfigSchema,
  type Parameter,
} from '../../../shared/parameters';
import {
  changedBy,
  isPresetKey,
  isSameName,
  presetKeys,
  presetNameSchema,
  presetValuesOf,
  presetValuesSchema,
  readPresetValues,
  type PresetKey,
} from '../../../shared/preset-values';
import { presetFamilies } from '../../../shared/presets';

const families = presetFamilies.map((family) => [family.title, family] as const);
const presets = presetFamilies.flatMap((family) => family.presets);
const named = presets.map((preset) => [preset.name, preset] as const);

test('ours are these', () => {
  expect(presets.map(({ id }) => id)).toEqual([
    ...['avatar', 'style', 'fast'],
    ...['memory-8', 'memory-12', 'memory-16', 'memory-24'],
  ]);
  expect(new Set(presets.map(({ name }) => name)).size).toBe(presets.length);
});

describe.each(families)('%s', (_title, { keys, presets: members }) => {
  test.each(members.map((preset) => [preset.name, preset] as const))(
    '%s sets the whole of its family and nothing else',
    (_name, { values }) => {
      expect(Object.keys(values).sort()).toEqual([...new Set(keys)].sort());
    },
  );

  test('from one to another nothing of the first is left', () => {
    for (const first of members)
      for (const second of members)
        expect({ ...defaultTrainConfig, ...first.values, ...second.values }).toEqual({
          ...defaultTrainConfig,
          ...second.values,
        });
  });

  test('each differs from every other', () => {
    const distinct = new Set(members.map(({ values }) => JSON.stringify(values)));
    expect(distinct.size).toBe(members.length);
  });
});

test.each(named)('%s is a valid config', (_name, { values }) => {
  const config = { ...defaultTrainConfig, ...values };
  const problems = parameterProblems(config);
  // The folders are the user's.
  expect(Object.keys(problems).sort()).toEqual(['logging_dir', 'output_dir', 'train_data_dir']);
  const folders = { train_data_dir: '/p/img', output_dir: '/p/model', logging_dir: '/p/log' };
  expect(trainConfigSchema.parse({ ...config, ...folders })).toEqual({ ...config, ...folders });
  expect(presetValuesSchema.parse(values)).toEqual(values);
});

test('no preset knows of folders, files, models, names, prompts or the seed', () => {
  const places = parameterKeys.filter((key) => {
    const parameter: Parameter = parameters[key];
    return ['folder', 'file', 'model'].includes(parameter.kind);
  });
  expect(places.length).toBeGreaterThan(5);
  for (const key of [...places, 'output_name', 'sample_prompts', 'metadata_title', 'seed'])
    expect(isPresetKey(key), key).toBe(false);
  expectTypeOf<'output_name' | 'seed' | 'train_data_dir'>().not.toExtend<PresetKey>();
  expect(isPresetKey('epoch')).toBe(true);
  expect(isPresetKey('toString')).toBe(false);
  const refused = presetValuesSchema.safeParse({ epoch: 3, seed: 4 });
  expect(refused.success).toBe(false);
});

test('what a preset would change, in the order of the table', () => {
  const config = { ...defaultTrainConfig, epoch: 3, seed: 9, network_dim: 8 };
  expect(changedBy({ network_dim: 16, epoch: 3, unet_lr: null, flip_aug: true }, config)).toEqual([
    'network_dim',
    'flip_aug',
  ]);
  expect(changedBy(presetValuesOf(config), config)).toEqual([]);
  expect(changedBy(presetValuesOf(config), defaultTrainConfig)).toEqual(['epoch', 'network_dim']);
});

test('the parameters become values without what is personal', () => {
  const values = presetValuesOf({ ...defaultTrainConfig, output_name: 'nova', seed: 3, epoch: 0 });
  expect(Object.keys(values)).toEqual(presetKeys);
  expect(values.epoch).toBe(0);
  expect(values).not.toHaveProperty('output_name');
  expect(values).not.toHaveProperty('seed');
});

test('of the values in a file what can be used is, and the rest is named', () => {
  const raw = { epoch: 3, learning_rate: 'fast', seed: 5, from_the_future: true, noise_offset: 0 };
  expect(readPresetValues(raw)).toEqual({
    values: { epoch: 3, noise_offset: 0 },
    ignored: ['learning_rate', 'seed', 'from_the_future'],
  });
});

test('names', () => {
  expect(presetNameSchema.parse('  My faces ')).toBe('My faces');
  for (const bad of ['', '   ', 'x'.repeat(61), 'two\nlines'])
    expect(presetNameSchema.safeParse(bad).success, bad).toBe(false);
  expect(isSameName('My faces', ' my FACES')).toBe(true);
  expect(isSameName('My faces', 'My face')).toBe(false);
});
