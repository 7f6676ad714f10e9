import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { isRunning, processStartTime, startTimeInStat } from '../../../electron/lib/platform';

const stat = (name: string, state: string) =>
  `42 (${name}) ${state} 1 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 1000 10 18446744073709551615`;

test('the start time is found whatever the command is called', () => {
  for (const name of ['python', 'my (odd) name', ') Z 1 2', ''])
    expect(startTimeInStat(stat(name, 'S'))).toBe('987654');
});

test('a zombie has ended', () => {
  expect(startTimeInStat(stat('python', 'Z'))).toBeNull();
});

test('a process is known by its pid and its start time', async () => {
  const startTime = await processStartTime(process.pid);
  expect(startTime).not.toBeNull();
  expect(await isRunning({ pid: process.pid, startTime: startTime ?? '' })).toBe(true);
  expect(await isRunning({ pid: process.pid, startTime: 'another' })).toBe(false);
});

test('a process that has ended does not run', async () => {
  const child = execFile(process.execPath, ['-e', '']);
  const { pid = 0 } = child;
  const startTime = (await processStartTime(pid)) ?? '';
  await new Promise((resolve) => child.once('close', resolve));
  expect(await isRunning({ pid, startTime })).toBe(false);
});
