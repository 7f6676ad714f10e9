import { describe, expect, it, test } from 'vitest';
import { isOfOtherType, whyUnused } from '../../../shared/parameters/applies';
import {
  either,
  is,
  isAbove,
  isNot,
  obstacle,
  type Condition,
} from '../../../shared/parameters/rules';
import {
  defaultTrainConfig,
  parameterKeys,
  parameters,
  type ParameterKey,
  type ParameterRow,
  type TrainConfig,
} from '../../../shared/parameters';

const rows: readonly (readonly [ParameterKey, ParameterRow])[] = parameterKeys.map((key) => [
  key,
  parameters[key],
]);

type Plain = Exclude<Condition, { readonly either: readonly Condition[] }>;
const plain = (conditions: readonly Condition[]): Plain[] =>
  conditions.flatMap((each) => ('either' in each ? plain(each.either) : [each]));

test('rules are about other parameters, and values that these can have', () => {
  for (const [key, { appliesWhen = [] }] of rows)
    for (const condition of plain(appliesWhen)) {
      const other = parameters[condition.key as ParameterKey] as
        (typeof parameters)[ParameterKey] | undefined;
      expect(other, `${key} needs ${condition.key}`).toBeDefined();
      expect(condition.key).not.toBe(key);
      const values = 'is' in condition ? condition.is : 'isNot' in condition ? condition.isNot : [];
      // A required text is never empty, so nothing may hang on its being so.
      for (const value of values)
        expect(other?.schema.safeParse(value).success, `${key}: ${condition.key} ${value}`).toBe(
          true,
        );
    }
});

test('every parameter explains itself in whole sentences', () => {
  for (const [key, { help }] of rows) {
    expect(help, key).toMatch(/^(?:\S+ ){4,}\S+[.]$/u);
  }
});

describe('a condition', () => {
  it('names what stands in its way', () => {
    expect(obstacle(is('a', 1, 2), { a: 2 })).toBeNull();
    expect(obstacle(is('a', 1, 2), { a: 3 })).toBe('a');
    expect(obstacle(isNot('a', ''), { a: '' })).toBe('a');
    expect(obstacle(isAbove('a', 0), { a: 'abc' })).toBe('a');
    expect(obstacle(isAbove('a', 0), { a: 0.5 })).toBeNull();
  });

  it('of several is met by one', () => {
    const condition = either(is('a', true), isAbove('b', 0));
    expect(obstacle(condition, { a: false, b: 1 })).toBeNull();
    expect(obstacle(condition, { a: false, b: 0 })).toBe('a');
  });
});

describe('a parameter that does not count', () => {
  const why = (key: ParameterKey, changes: Partial<TrainConfig> = {}) =>
    whyUnused(key, { ...defaultTrainConfig, ...changes });

  it.each([
    ['epoch', {}, null],
    ['epoch', { max_train_steps: 1600 }, 'Not used while Max train steps is 1600.'],
    ['noise_offset_random_strength', {}, 'Not used while Noise offset is 0.'],
    ['noise_offset_random_strength', { noise_offset: 0.03 }, null],
    ['min_bucket_reso', {}, 'Not used while Don’t upscale bucket resolution is on.'],
    ['min_bucket_reso', { bucket_no_upscale: false }, null],
    ['min_bucket_reso', { enable_bucket: false }, 'Not used while Enable buckets is off.'],
    ['learning_rate', { unet_lr: 0.0002 }, 'Not used while Unet learning rate is 0.0002.'],
    ['prior_loss_weight', {}, 'Not used while Regularisation directory is empty.'],
    ['prior_loss_weight', { dataset_config: '/data.toml' }, null],
    ['huber_scale', { loss_type: 'huber' }, 'Not used while Huber schedule is snr.'],
    ['lr_warmup', { lr_scheduler: 'constant' }, 'Not used while LR Scheduler is constant.'],
    ['conv_dim', {}, 'Not used while LoRA type is Standard.'],
  ] as const)('%s with %o says: %s', (key, changes, sentence) =>
    expect(why(key, changes)).toBe(sentence),
  );

  it('because of a long path says that it is set', () => {
    const dataset_config = '/a/very/long/way/to/a/dataset.toml';
    expect(why('train_data_dir', { dataset_config })).toBe(
      'Not used while Dataset config file (.toml, optional) is set.',
    );
  });

  it('is out of sight only for the LoRA type', () => {
    expect(isOfOtherType('conv_dim', defaultTrainConfig)).toBe(true);
    expect(isOfOtherType('dim_from_weights', defaultTrainConfig)).toBe(false);
    expect(isOfOtherType('huber_c', defaultTrainConfig)).toBe(false);
  });
});
