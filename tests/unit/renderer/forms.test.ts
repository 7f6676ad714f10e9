import { describe, expect, it } from 'vitest';
import { configOf, withParameter } from '../../../renderer/app/project';
import { formatTyped, parseTyped, stepTyped } from '../../../renderer/components/number-text';
import {
  defaultTrainConfig,
  parameterProblems,
  trainConfigSchema,
} from '../../../shared/parameters';

describe('typed numbers', () => {
  it.each([
    ['', null],
    ['  ', null],
    ['20', 20],
    ['1e-4', 0.0001],
    ['0,5', 0.5],
    ['abc', 'abc'],
    ['12px', '12px'],
  ])('%o is %o', (text, value) => expect(parseTyped(text)).toBe(value));

  it('are shown as they are', () => {
    expect(formatTyped(null)).toBe('');
    expect(formatTyped('abc')).toBe('abc');
    expect(formatTyped(0.0003)).toBe('0.0003');
  });

  it('step without tails and stay in their range', () => {
    expect(stepTyped(0.1, 0.2, {})).toBe(0.3);
    expect(stepTyped(1, -1, { min: 1 })).toBe(1);
    expect(stepTyped(64, 1, { max: 64 })).toBe(64);
    expect(stepTyped('abc', 1, { min: 4 })).toBe(5);
  });
});

describe('the training draft', () => {
  it('keeps only what differs from the table', () => {
    const changed = withParameter({}, 'epoch', 20);
    expect(changed).toEqual({ epoch: 20 });
    expect(withParameter(changed, 'epoch', defaultTrainConfig.epoch)).toEqual({});
  });

  it('gives a config that the schema takes once the folders are chosen', () => {
    const folders = { train_data_dir: '/img', output_dir: '/model', logging_dir: '/log' };
    const config = configOf({ ...folders, learning_rate: 0.0003 });
    expect(trainConfigSchema.parse(config).learning_rate).toBe(0.0003);
    expect(config.network_dim).toBe(defaultTrainConfig.network_dim);
  });

  it('may hold what is no number yet, and says so at the field', () => {
    const problems = parameterProblems(configOf({ train_batch_size: 'abc', epoch: '' }));
    expect(problems.train_batch_size).toBe('Train batch size must be a whole number.');
    expect(problems.epoch).toBe('Epoch must be a whole number.');
  });
});
