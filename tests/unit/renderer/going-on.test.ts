import { describe, expect, it } from 'vitest';
import { lengthOf, longerConfig, outlook } from '../../../renderer/tabs/training/longer';
import { rateDetail } from '../../../renderer/tabs/training/rates';
import { afterwards, stateText } from '../../../renderer/tabs/training/state-text';
import { canGoOn } from '../../../renderer/tabs/training/status';
import type { JobStatus, JobView, SavedState } from '../../../shared/job-view';
import { defaultTrainConfig } from '../../../shared/parameters';

const state: SavedState = {
  path: '/r/120',
  step: 120,
  epoch: 2,
  time: Date.UTC(2026, 10, 24, 8, 40) / 1000,
  bytes: 98 * 1024 * 1024,
};
const lastStep = { step: 125 } as NonNullable<JobView['lastStep']>;

describe('a run that ended early', () => {
  it('says from which step it can go on, and what is done again', () => {
    expect(stateText(state)).toMatch(/^State of step 120, 98\.0 MB, saved 24 Nov, \d\d:40\.$/u);
    expect(stateText({ ...state, bytes: null })).toMatch(/^State of step 120, saved /u);
    expect(afterwards({ state, lastStep })).toMatch(
      /^It can go on from step 120\. .* 5 steps after it will be done again\.$/u,
    );
    expect(afterwards({ state, lastStep: { ...lastStep, step: 120 } })).not.toContain('again');
    expect(afterwards({ state: null, lastStep })).toContain('from the first step');
  });

  it('can go on, but not when it has done all its steps or speaks another protocol', () => {
    const problem = { code: 'vanished', message: '' };
    const goesOn = (status: JobStatus) => canGoOn({ kind: 'train', status });
    expect(goesOn({ kind: 'paused' })).toBe(true);
    expect(goesOn({ kind: 'stopped' })).toBe(true);
    expect(goesOn({ kind: 'failed', problem })).toBe(true);
    expect(goesOn({ kind: 'failed', problem: { ...problem, code: 'protocol_version' } })).toBe(
      false,
    );
    expect(goesOn({ kind: 'completed' })).toBe(false);
    expect(goesOn({ kind: 'running' })).toBe(false);
    expect(canGoOn({ kind: 'caption', status: { kind: 'stopped' } })).toBe(false);
  });
});

describe('training longer', () => {
  const config = {
    ...defaultTrainConfig,
    pretrained_model_name_or_path: '/p/base.safetensors',
    train_data_dir: '/p/img',
    output_dir: '/p/model',
    logging_dir: '/p/log',
    output_name: 'nova',
    epoch: 5,
  };

  it('begins with half as long again, in what the run counted in', () => {
    expect(lengthOf(config, 1000)).toEqual({ by: 'epoch', count: 8 });
    expect(lengthOf({ ...config, max_train_steps: 900 }, 900)).toEqual({
      by: 'max_train_steps',
      count: 1350,
    });
    expect(lengthOf(config, 1000, 'max_train_steps').count).toBe(1500);
  });

  it('keeps the config but for its length and where it goes on from', () => {
    const limited = { ...config, max_train_steps: 900 };
    expect(longerConfig(limited, { by: 'epoch', count: 8 }, '/p/log/job')).toEqual({
      ...config,
      epoch: 8,
      max_train_steps: 0,
      resume: '/p/log/job',
    });
    expect(longerConfig(config, { by: 'max_train_steps', count: 1350 }, '/p/log/job')).toEqual({
      ...config,
      max_train_steps: 1350,
      resume: '/p/log/job',
    });
  });

  it.each([null, 'many', 0, 1.5, 1e9])('refuses %s', (count) => {
    expect(longerConfig(config, { by: 'max_train_steps', count }, '/p/log/job')).toBeNull();
  });

  it('says what is left to do, and when that is nothing', () => {
    expect(outlook(500, undefined, 1).enough).toBe(false);
    expect(outlook(500, 500, 1)).toEqual({
      text: 'That is 500 steps, and 500 are done.',
      enough: false,
    });
    const { text, enough } = outlook(500, 1500, 2);
    expect(enough).toBe(true);
    expect(text).toContain('after step 500 to step 1,500: 1,000 more steps, about 33 min 20 s.');
    expect(outlook(500, 501, 0).text).toContain('1 more step. The');
  });
});

describe('several learning rates', () => {
  const rate = (name: string, value: number) => ({ name, value });

  it('are not told apart while they are the same', () => {
    expect(rateDetail([rate('unet', 1e-4)])).toBeNull();
    expect(rateDetail([rate('unet', 1e-4), rate('textencoder1', 1e-4)])).toBeNull();
  });

  it('show the first that differs, and name all on demand', () => {
    const rates = [rate('unet', 1e-4), rate('textencoder1', 5e-5), rate('textencoder2', 1e-5)];
    expect(rateDetail(rates)).toEqual({
      short: 'TE1 5e-5, 1 more',
      all: 'U-Net 0.0001\nTE1 5e-5\nTE2 1e-5',
    });
  });
});
