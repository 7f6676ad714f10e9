import { expect, test } from 'vitest';
import { partsOf } from '../../../renderer/tabs/parameters/files/report';
import { importKohyaJson } from '../../../shared/kohya/import-json';

const parts = (values: Readonly<Record<string, unknown>>) =>
  partsOf({ name: 'a.json', ...importKohyaJson(JSON.stringify(values)) });

test('what needs a look comes first, under the labels of the fields', () => {
  const found = parts({ epoch: 2.6, flip_aug: true, full_fp16: true, mine: 1, seed: 3 });
  expect(found.map(({ kind }) => kind)).toEqual([
    'changed',
    'unsupported',
    'unknown',
    'taken',
    'defaulted',
  ]);
  expect(found[0]?.lines).toEqual([
    { name: 'Epoch', text: 'epoch is 2.6: it must be a whole number, so 3 is used.' },
  ]);
  expect(found[2]?.lines[0]?.name).toBe('mine');
  expect(found[3]?.lines).toEqual([
    { name: 'Seed', text: '3' },
    { name: 'Flip augmentation', text: 'on' },
  ]);
});

test('kinds of which there is nothing are not there', () => {
  expect(parts({ epoch: 3 }).map(({ kind }) => kind)).toEqual(['taken', 'defaulted']);
});
