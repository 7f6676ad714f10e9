import { describe, expect, it } from 'vitest';
import { groups } from '../../../renderer/tabs/parameters/groups';
import { matching } from '../../../renderer/tabs/parameters/matching';
import { isShown } from '../../../renderer/tabs/parameters/shown';
import { defaultTrainConfig, parameterKeys, type TrainConfig } from '../../../shared/parameters';

const keysIn = (name: string) => groups.find((group) => group.name === name);

it('shows every parameter once', () => {
  const shown = groups.flatMap(({ keys, sections }) => [
    ...keys,
    ...sections.flatMap((section) => section.keys),
  ]);
  expect([...shown].sort()).toEqual([...parameterKeys].sort());
});

it('divides the long groups, and only those', () => {
  const titles = groups.map(({ name, sections }) => [name, sections.map(({ title }) => title)]);
  expect(titles).toEqual([
    ['Model', []],
    ['Folders', []],
    ['Basic', ['Network', 'Optimizer', 'Saving and resuming']],
    [
      'Advanced',
      ['Captions', 'Pictures', 'Noise and loss', 'Memory', 'Several GPUs', 'Validation'],
    ],
    ['Samples', []],
    ['Metadata', []],
  ]);
  expect(keysIn('Advanced')?.keys).toEqual([]);
  expect(keysIn('Basic')?.keys).toContain('seed');
});

it('offers all names while one stands there, and those that match while one is typed', () => {
  const options = ['AdamW', 'AdamW8bit', 'Lion'].map((name) => ({ value: name, label: name }));
  const offered = (search: string) =>
    matching({ options, search, limit: Infinity }).map(
      (option) => 'label' in option && option.label,
    );
  expect(offered('AdamW')).toEqual(['AdamW', 'AdamW8bit', 'Lion']);
  expect(offered('8BIT')).toEqual(['AdamW8bit']);
  expect(offered('')).toEqual(['AdamW', 'AdamW8bit', 'Lion']);
  expect(offered('my.Optimizer')).toEqual([]);
});

describe('fields of the network', () => {
  const shownFor = (lora_type: TrainConfig['lora_type'], changes: Partial<TrainConfig> = {}) => {
    const config = { ...defaultTrainConfig, lora_type, ...changes };
    return parameterKeys.filter((key) => isShown(key, config));
  };

  it('are few for a standard LoRA', () => {
    const shown = shownFor('Standard');
    expect(shown).toEqual(
      expect.arrayContaining(['network_dim', 'network_alpha', 'network_dropout', 'block_dims']),
    );
    for (const key of ['conv_dim', 'lycoris_preset', 'factor', 'dora_wd', 'constrain', 'unit'])
      expect(shown).not.toContain(key);
  });

  it('are those of the type', () => {
    expect(shownFor('Kohya LoCon')).toEqual(
      expect.arrayContaining(['conv_dim', 'conv_alpha', 'conv_block_dims']),
    );
    expect(shownFor('LyCORIS/LoKr')).toEqual(
      expect.arrayContaining(['lycoris_preset', 'factor', 'dora_wd', 'use_tucker']),
    );
    expect(shownFor('LyCORIS/Diag-OFT')).toEqual(expect.arrayContaining(['constrain', 'rescaled']));
    expect(shownFor('LyCORIS/iA3')).toContain('train_on_input');
    expect(shownFor('LyCORIS/iA3')).not.toContain('network_dim');
    expect(shownFor('LyCORIS/LoHa')).not.toContain('block_dims');
  });

  it('that were set stay in sight', () => {
    expect(shownFor('Standard', { dora_wd: true })).toContain('dora_wd');
  });

  it('of other sections do not depend on it', () => {
    for (const key of ['learning_rate', 'optimizer', 'save_every_n_epochs', 'lora_type'] as const)
      expect(shownFor('LyCORIS/Native Fine-Tuning')).toContain(key);
  });
});
