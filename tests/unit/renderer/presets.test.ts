import { expect, test } from 'vitest';
import { groupedChanges, valueText } from '../../../renderer/tabs/parameters/presets/changes';
import { configOf } from '../../../renderer/app/project';
import { defaultTrainConfig } from '../../../shared/parameters';
import { presetFamilies } from '../../../shared/presets';

test('changes stand under the headings of the tab, in its order, by Kohya’s labels', () => {
  const values = { min_snr_gamma: 5, epoch: 4, unet_lr: 2e-5, flip_aug: true, max_resolution: '' };
  expect(groupedChanges(values, defaultTrainConfig)).toEqual([
    {
      title: 'Basic',
      changes: [
        { key: 'epoch', label: 'Epoch', now: '10', then: '4' },
        { key: 'max_resolution', label: 'Max resolution', now: '1024,1024', then: 'empty' },
      ],
    },
    {
      title: 'Optimizer',
      changes: [{ key: 'unet_lr', label: 'Unet learning rate', now: 'empty', then: '0.00002' }],
    },
    {
      title: 'Pictures',
      changes: [{ key: 'flip_aug', label: 'Flip augmentation', now: 'off', then: 'on' }],
    },
    {
      title: 'Noise and loss',
      changes: [{ key: 'min_snr_gamma', label: 'Min SNR gamma', now: '0', then: '5' }],
    },
  ]);
});

test('a field that holds nothing valid yet is changed like any other', () => {
  const [group] = groupedChanges({ epoch: 4 }, configOf({ epoch: 'ten' }));
  expect(group?.changes).toEqual([{ key: 'epoch', label: 'Epoch', now: 'ten', then: '4' }]);
});

test('values with their unit, zeros as zeros, numbers as their fields have them', () => {
  expect(valueText('lr_warmup', 5)).toBe('5 %');
  expect(valueText('min_bucket_reso', 256)).toBe('256 px');
  expect(valueText('noise_offset', 0)).toBe('0');
  expect(valueText('learning_rate', 5e-7)).toBe('5e-7');
  expect(valueText('network_dim', 100000)).toBe('100000');
  expect(valueText('block_dims', '')).toBe('empty');
});

test('nothing is shown where nothing would change', () => {
  for (const { presets } of presetFamilies)
    for (const { values } of presets)
      expect(groupedChanges(values, { ...defaultTrainConfig, ...values })).toEqual([]);
});
