import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { withLock } from '../../../build/setup/lock.mjs';
import { tempFolder } from '../../fakes/temp-folder';

const lockFile = async () => join(await tempFolder(), 'data', 'setup.lock');

test('a second set-up is refused while the first runs, and may run after it', async () => {
  const file = await lockFile();
  await withLock(file, async () => {
    const message = `Set-up is already running here (process ${process.pid}).`;
    await expect(withLock(file, () => 'second')).rejects.toThrow(message);
  });
  expect(await withLock(file, () => 'second')).toBe('second');
});

test('the lock of a process that is gone counts for nothing', async () => {
  const file = await lockFile();
  await mkdir(dirname(file));
  await writeFile(file, '999999999');
  expect(await withLock(file, () => 'done')).toBe('done');
});

test('a failure gives the lock back', async () => {
  const file = await lockFile();
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(file)).toBe(false);
});
