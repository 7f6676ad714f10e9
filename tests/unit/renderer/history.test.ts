import { beforeEach, describe, expect, it } from 'vitest';
import { closeStep, useHistory } from '../../../renderer/app/history';
import {
  adoptPrepared,
  editParameter,
  editParameters,
  redo,
  replaceTraining,
  resetParameters,
  undo,
  useProject,
} from '../../../renderer/app/project';
import { defaultTrainConfig } from '../../../shared/parameters';
import { emptyProject } from '../../../shared/settings';

const training = () => useProject.getState().training;
const labels = () => useHistory.getState().past.map(({ label }) => label);

beforeEach(() => {
  useProject.setState(emptyProject, true);
  useHistory.setState({ past: [], future: [], open: false });
});

describe('typing', () => {
  it('in one field is one step', () => {
    for (const value of [1, 12, 125]) editParameter('epoch', value);
    expect(labels()).toEqual(['Epoch']);
    expect(undo()).toBe('epoch');
    expect(training()).toEqual({});
    expect(redo()).toBe('epoch');
    expect(training()).toEqual({ epoch: 125 });
  });

  it('after the field was left, or another was typed in, is another step', () => {
    editParameter('epoch', 1);
    closeStep();
    editParameter('epoch', 12);
    editParameter('seed', 7);
    editParameter('epoch', 13);
    expect(labels()).toEqual(['Epoch', 'Epoch', 'Seed', 'Epoch']);
  });

  it('that is deleted again is no step', () => {
    editParameter('output_name', 'nova');
    editParameter('output_name', 'last');
    expect(labels()).toEqual([]);
    expect(undo()).toBeNull();
  });

  it('after an undo forgets what could be done again', () => {
    editParameter('epoch', 12);
    undo();
    editParameter('epoch', 13);
    expect(redo()).toBeNull();
    undo();
    expect(training()).toEqual({});
  });
});

it('each flick of a switch is a step', () => {
  editParameter('flip_aug', true);
  editParameter('flip_aug', false);
  editParameter('flip_aug', true);
  expect(labels()).toHaveLength(3);
  undo();
  expect(training()).toEqual({});
});

it('what changes nothing is no step', () => {
  editParameter('epoch', defaultTrainConfig.epoch);
  resetParameters(['seed'], 'Seed');
  replaceTraining(defaultTrainConfig);
  expect(labels()).toEqual([]);
});

it('presets, files, resets and prepared folders are taken back whole', () => {
  editParameter('seed', 7);
  replaceTraining({ ...defaultTrainConfig, epoch: 3, network_dim: 8 }, 'Preset small');
  const prepared = { imagesFolder: '/p/img/10_a', copied: 1, linked: 0, kept: 0 };
  const folders = { train_data_dir: '/p/img', reg_data_dir: '', output_dir: '/p/model' };
  adoptPrepared({ ...prepared, ...folders, logging_dir: '/p/log' });
  resetParameters(['epoch', 'network_dim'], 'Basic');
  expect(labels()).toEqual([
    'Seed',
    'Preset small',
    'Folders of the prepared project',
    'Reset of Basic',
  ]);
  expect(training()).toEqual({
    train_data_dir: '/p/img',
    output_dir: '/p/model',
    logging_dir: '/p/log',
  });
  undo();
  expect(training()).toMatchObject({ epoch: 3, network_dim: 8, output_dir: '/p/model' });
  undo();
  expect(training()).toEqual({ epoch: 3, network_dim: 8 });
  expect(undo()).toBeNull();
  expect(training()).toEqual({ seed: 7 });
});

it('a reset is not joined with the typing before it', () => {
  editParameter('epoch', 12);
  resetParameters(['epoch'], 'Epoch');
  expect(labels()).toEqual(['Epoch', 'Reset of Epoch']);
  expect(undo()).toBe('epoch');
  expect(training()).toEqual({ epoch: 12 });
});

it('several parameters at once are one step', () => {
  editParameter('epoch', 12);
  editParameters(
    [
      ['gradient_checkpointing', false],
      ['train_batch_size', 2],
    ],
    'Fit my GPU',
  );
  expect(labels()).toEqual(['Epoch', 'Fit my GPU']);
  expect(undo()).toBeNull();
  expect(training()).toEqual({ epoch: 12 });
});
