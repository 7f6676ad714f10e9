import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { balanceCommand } from '../../../electron/cli/balance';
import type { Context } from '../../../electron/cli/context';
import { prepareCommand, type PrepareOptions } from '../../../electron/cli/prepare';
import { locateFakeBridge } from '../../fakes/fake-bridge';
import { recordingLog } from '../../fakes/recording-log';
import { tempFolder } from '../../fakes/temp-folder';

const none: PrepareOptions = {
  instancePrompt: undefined,
  classPrompt: undefined,
  images: undefined,
  repeats: undefined,
  reg: undefined,
  regRepeats: undefined,
  concepts: undefined,
  link: false,
  dryRun: false,
  undo: false,
};

let said = '';
beforeEach(() => {
  said = '';
  const keep = (text: unknown) => {
    said += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  vi.spyOn(process.stderr, 'write').mockImplementation(keep);
});
afterEach(() => vi.restoreAllMocks());

async function setUp() {
  const root = await tempFolder();
  const photos = join(root, 'photos');
  await mkdir(photos);
  for (const name of ['a.png', 'b.png']) await writeFile(join(photos, name), name);
  const context: Context = {
    locations: { ...locateFakeBridge('normal'), dataFolder: join(root, 'data') },
    appVersion: '0.0.0',
    log: recordingLog(),
  };
  return { root, photos, context, destination: join(root, 'project') };
}

test('a dry run makes nothing; then it is made, and taken back', async () => {
  const { photos, context, destination } = await setUp();
  const options = { ...none, instancePrompt: 'sks', classPrompt: 'woman', images: [photos] };
  expect(await prepareCommand(context, destination, { ...options, dryRun: true })).toBe(0);
  expect(said).toContain(`${join(destination, 'img', '20_sks woman')}: 2 images x 20; 2 to bring`);
  await expect(readdir(destination)).rejects.toThrow('ENOENT');

  expect(await prepareCommand(context, destination, options)).toBe(0);
  expect(said).toContain('Copied 2, linked 0, there already 0.');
  expect(await readdir(join(destination, 'img', '20_sks woman'))).toEqual(['a.png', 'b.png']);

  expect(
    await balanceCommand(context, join(destination, 'img'), {
      steps: 100,
      apply: false,
      undo: false,
    }),
  ).toBe(0);
  expect(said).toContain('20_sks woman: 2 images, becomes 50_sks woman, 100 steps');
  expect(await readdir(join(destination, 'img'))).toEqual(['20_sks woman']);
  await balanceCommand(context, join(destination, 'img'), { steps: 100, apply: true, undo: false });
  expect(await readdir(join(destination, 'img'))).toEqual(['50_sks woman']);
  await balanceCommand(context, join(destination, 'img'), { steps: 100, apply: false, undo: true });
  expect(await readdir(join(destination, 'img'))).toEqual(['20_sks woman']);

  expect(await prepareCommand(context, destination, { ...none, undo: true })).toBe(0);
  expect(said).toContain('Undone: Prepared 2 images. 2 files removed, 0 folders moved back.');
  await expect(readdir(destination)).rejects.toThrow('ENOENT');
});

test('what is wrong is said with its concept, and nothing is made', async () => {
  const { root, photos, context, destination } = await setUp();
  const file = join(root, 'concepts.json');
  const concept = { instancePrompt: 'sks', classPrompt: 'woman', folders: [photos] };
  await writeFile(file, JSON.stringify([concept, { ...concept, repeats: 0 }]));
  expect(await prepareCommand(context, destination, { ...none, concepts: file })).toBe(1);
  expect(said).toContain('Error in concept 2: Repeats must be a whole number');
  await expect(readdir(destination)).rejects.toThrow('ENOENT');
});

test.each([
  ['{', 'bad_concepts', 'is not JSON'],
  ['[]', 'bad_concepts', 'concepts.json'],
  ['[{"prompt": "x"}]', 'bad_concepts', '0'],
])('a list of concepts that is %s is refused', async (text, code, message) => {
  const { root, context, destination } = await setUp();
  const file = join(root, 'concepts.json');
  await writeFile(file, text);
  await expect(
    prepareCommand(context, destination, { ...none, concepts: file }),
  ).rejects.toMatchObject({ problem: { code, message: expect.stringContaining(message) } });
});
