import { expect, it } from 'vitest';
import { groups } from '../../../renderer/tabs/parameters/groups';
import { matching } from '../../../renderer/tabs/parameters/matching';
import { parameterKeys } from '../../../shared/parameters';

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
