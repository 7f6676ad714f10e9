import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groups } from '../../../renderer/tabs/parameters/groups';
import { matching } from '../../../renderer/tabs/parameters/matching';
import { codesWithField, fieldOf } from '../../../renderer/tabs/parameters/problem-fields';
import { marks, search } from '../../../renderer/tabs/parameters/search';
import { isShown, type View } from '../../../renderer/tabs/parameters/shown';
import { gather } from '../../../renderer/tabs/parameters/useFindings';
import {
  defaultTrainConfig,
  parameterKeys,
  parameterProblems,
  type TrainConfig,
} from '../../../shared/parameters';

const all: View = { all: true, hits: null, kept: new Set() };
const simple: View = { ...all, all: false };

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

it('narrows groups down too, and leaves out those with nothing in them', () => {
  const items = (...names: string[]) => names.map((name) => ({ value: name, label: name }));
  const options = [
    { group: 'Used lately', items: items('/a/nova.safetensors', '/a/other.safetensors') },
    { group: 'Hugging Face', items: items('stabilityai/sdxl') },
  ];
  const offered = (search: string) => matching({ options, search, limit: Infinity });
  expect(offered('stabilityai/sdxl')).toEqual(options);
  expect(offered('Nova')).toEqual([{ group: 'Used lately', items: items('/a/nova.safetensors') }]);
});

describe('fields of the network', () => {
  const shownFor = (lora_type: TrainConfig['lora_type'], changes: Partial<TrainConfig> = {}) => {
    const config = { ...defaultTrainConfig, lora_type, ...changes };
    return parameterKeys.filter((key) => isShown(key, config, all));
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

describe('the Simple view', () => {
  const shown = (changes: Partial<TrainConfig>, view: View) => {
    const config = { ...defaultTrainConfig, ...changes };
    return parameterKeys.filter((key) => isShown(key, config, view));
  };

  it('has what the guides use, a third of all at most', () => {
    const keys = shown({}, simple);
    expect(keys).toEqual(
      expect.arrayContaining([
        'pretrained_model_name_or_path',
        'train_data_dir',
        'output_name',
        'lora_type',
        'network_dim',
        'network_alpha',
        'epoch',
        'learning_rate',
        'lr_scheduler',
        'lr_warmup',
        'optimizer',
        'max_resolution',
        'gradient_checkpointing',
        'save_every_n_epochs',
        'sample_prompts',
      ]),
    );
    expect(keys).not.toContain('multires_noise_discount');
    expect(keys.length).toBeLessThan(parameterKeys.length / 3);
  });

  it('has whatever was changed', () => {
    expect(shown({ multires_noise_discount: 0.5 }, simple)).toContain('multires_noise_discount');
  });

  it('keeps what was jumped to, and so does a search', () => {
    const kept = new Set(['gpu_ids'] as const);
    expect(shown({}, { ...simple, kept })).toContain('gpu_ids');
    expect(shown({}, { ...simple, kept, hits: new Set(['seed'] as const) })).toEqual([
      'seed',
      'gpu_ids',
    ]);
  });

  it('gives way to a search, which finds of every LoRA type', () => {
    const hits = new Set(['conv_dim', 'gpu_ids'] as const);
    expect(shown({ epoch: 3 }, { ...simple, hits })).toEqual(['conv_dim', 'gpu_ids']);
  });
});

describe('a search', () => {
  const found = (query: string) => [...(search(query)?.keys ?? [])];

  it.each([
    ['Network Rank (Dimension)', 'network_dim'],
    ['network_dim', 'network_dim'],
    ['network dim', 'network_dim'],
    ['LoRA_type', 'lora_type'],
    ['sdxl_cache_text_encoder_outputs', 'cache_text_encoder_outputs'],
    ['max_train_epochs', 'epoch'],
    ['fp8_base_unet', 'quantize_base_model'],
    ['optimizer_type', 'optimizer'],
    ['min snr', 'min_snr_gamma'],
    ['regularization directory', 'reg_data_dir'],
    ['lr scheduler', 'lr_scheduler'],
    ['vpred', 'v_parameterization'],
  ] as const)('for %s means %s', (query, key) => {
    expect(found(query)).toContain(key);
    expect(search(query)?.best).toBe(key);
  });

  it('wants every word, in any order', () => {
    expect(found('gamma snr')).toEqual(['min_snr_gamma']);
    expect(found('snr xyzzy')).toEqual([]);
    expect(search('xyzzy')?.best).toBeNull();
  });

  it('for nothing is none', () => expect(search('  ')).toBeNull());

  it('marks what it found where it stands', () => {
    expect(marks('Regularisation of min_snr', ['regularization', 'snr'])).toEqual([
      { text: 'Regularisation', hit: true },
      { text: ' of min_', hit: false },
      { text: 'snr', hit: true },
    ]);
    expect(marks('plain', ['x'])).toEqual([{ text: 'plain', hit: false }]);
  });
});

describe('a problem', () => {
  const bridge = join(import.meta.dirname, '../../../python-bridge/lora_bridge');
  const sources = readdirSync(bridge)
    .filter((name) => name.endsWith('.py'))
    .map((name) => readFileSync(join(bridge, name), 'utf8'))
    .join('\n');

  it('that leads to a field is one that the bridge has', () => {
    const unknown = codesWithField.filter((code) => {
      const written = [code, code.replace(/^lycoris_preset_/u, '')];
      return !written.some((each) => sources.includes(`"${each}"`)) && !sources.includes(code);
    });
    expect(unknown).toEqual([]);
  });

  it('of several fields leads to the one that it names', () => {
    const at = (code: string, message: string) => fieldOf({ code, message });
    expect(at('bad_argument', 'LR scheduler extra arguments has “a b”.')).toBe('lr_scheduler_args');
    expect(at('bad_schedule', 'LR Scheduler type is Foo, which cannot be used.')).toBe(
      'lr_scheduler_type',
    );
    expect(at('bad_schedule', 'LR Scheduler is adafactor.')).toBe('lr_scheduler');
    expect(at('nothing_kept', 'Module dropout is 1.')).toBe('module_dropout');
    expect(at('package_missing', 'It is not there.')).toBe('optimizer');
    expect(at('no_such_code', 'Epoch is odd.')).toBeNull();
  });

  it('is gathered with the others and said at its field, once', () => {
    const config = { ...defaultTrainConfig, network_dim: 0, train_data_dir: '/img' };
    const checked = { config, problems: parameterProblems(config) };
    const model = { code: 'not_sdxl', message: 'x is a LoRA.', hint: 'Choose another.' };
    const alpha = { code: 'alpha_above_rank', message: 'Alpha is more.', hint: 'Half is usual.' };
    const odd = { code: 'nobody_knows', message: 'Something is odd.' };
    const found = gather(checked, model, null, [model, alpha, odd]);
    expect(found.problems.pretrained_model_name_or_path).toBe('x is a LoRA. Choose another.');
    expect(found.warnings).toEqual({ network_alpha: 'Alpha is more. Half is usual.' });
    expect(found.all.map(({ key, tone }) => [key, tone])).toEqual([
      ['pretrained_model_name_or_path', 'error'],
      ['network_dim', 'error'],
      ['output_dir', 'needed'],
      ['logging_dir', 'needed'],
      ['network_alpha', 'warning'],
      [null, 'warning'],
    ]);
  });

  it('of the plan that is about no field still keeps a run from starting', () => {
    const problem = { code: 'nobody_knows', message: 'It cannot be.' };
    const found = gather({ config: defaultTrainConfig, problems: {} }, null, problem, []);
    expect(found.all).toEqual([{ key: null, message: 'It cannot be.', tone: 'error' }]);
  });
});
