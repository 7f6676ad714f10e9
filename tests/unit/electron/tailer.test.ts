import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Tailer } from '../../../electron/lib/tailer';
import { tempFolder } from '../../fakes/temp-folder';

async function follow() {
  const path = join(await tempFolder(), 'events.jsonl');
  const lines: string[] = [];
  const errors: unknown[] = [];
  const tailer = new Tailer(path, {
    maxLineBytes: 1000,
    onLines: (read) => lines.push(...read),
    onError: (error) => errors.push(error),
  });
  tailer.start();
  onTestFinished(() => tailer.stop());
  return { path, lines, errors, tailer };
}

test('follows a file from before it exists', async () => {
  const { path, lines, errors } = await follow();
  await writeFile(path, 'one\n');
  await vi.waitFor(() => expect(lines).toEqual(['one']));
  await appendFile(path, 'two\nthr');
  await vi.waitFor(() => expect(lines).toEqual(['one', 'two']));
  await appendFile(path, 'ee\n');
  await vi.waitFor(() => expect(lines).toEqual(['one', 'two', 'three']));
  expect(errors).toEqual([]);
});

test('many readings at once give each line once', async () => {
  const { path, lines, tailer } = await follow();
  await writeFile(
    path,
    Array.from({ length: 5000 }, (_, index) => `line ${String(index)}\n`).join(''),
  );
  await Promise.all(Array.from({ length: 20 }, () => tailer.drain()));
  expect(lines).toHaveLength(5000);
  expect(lines.at(-1)).toBe('line 4999');
});

test('draining reads what was written just before', async () => {
  const { path, lines, tailer } = await follow();
  tailer.stop();
  await writeFile(path, 'last words\n');
  await tailer.drain();
  expect(lines).toEqual(['last words']);
});
