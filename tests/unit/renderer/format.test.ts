import { describe, expect, it } from 'vitest';
import {
  baseName,
  formatBytes,
  formatDuration,
  formatLoss,
  formatQuantity,
  formatRate,
  formatSpeed,
} from '../../../renderer/format';

it.each([
  [0, '0 bytes'],
  [1023, '1023 bytes'],
  [1024, '1.0 KB'],
  [1024 ** 2 - 1, '1.0 MB'],
  [456e6, '435 MB'],
  [6.9e9, '6.4 GB'],
])('%d bytes read %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

it.each([
  [0.4, '0 s'],
  [59.4, '59 s'],
  [59.6, '1 min 00 s'],
  [3599, '59 min 59 s'],
  [3600, '1 h 00 min'],
  [3 * 86400, '3 d 0 h'],
])('%d seconds read %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

describe('numbers', () => {
  it('count one in the singular', () => {
    expect(formatQuantity(1, 'image')).toBe('1 image');
    expect(formatQuantity(1000, 'image')).toBe('1,000 images');
  });

  it('turn a speed round where that reads better', () => {
    expect(formatSpeed(2.305)).toMatch(/^2\.3\d s\/step$/u);
    expect(formatSpeed(0.25)).toBe('4.0 steps/s');
    expect(formatSpeed(0)).toBe('–');
  });

  it('keep small learning rates readable', () => {
    expect(formatRate(0.0003)).toBe('0.0003');
    expect(formatRate(0.00023456)).toBe('0.000235');
    expect(formatRate(0.000025)).toBe('2.5e-5');
    expect(formatRate(0.00001)).toBe('1e-5');
    expect(formatRate(0)).toBe('0');
    expect(formatRate(32)).toBe('32');
  });

  it('have a dash for a loss that is none', () => expect(formatLoss(null)).toBe('–'));
});

it.each([
  ['/home/ana/rihanna/', 'rihanna'],
  ['C:\\Users\\ana\\photos', 'photos'],
  ['/', '/'],
])('the last part of %s is %s', (path, name) => expect(baseName(path)).toBe(name));
