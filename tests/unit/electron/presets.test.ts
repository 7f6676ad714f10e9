import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Presets } from '../../../electron/services/presets';
import { recordingLog } from '../../fakes/recording-log';
import { tempFolder } from '../../fakes/temp-folder';

const inFolder = (folder: string) => new Presets(folder, recordingLog());

/** The folder itself is not there before the first preset is. */
async function begin() {
  const folder = join(await tempFolder(), 'presets');
  return { folder, presets: inFolder(folder) };
}

const faces = { name: 'Faces', values: { epoch: 4, unet_lr: null, noise_offset: 0 } };
const save = (presets: Presets, name: string, replace = false) =>
  presets.save({ ...faces, name, replace });

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (error as { problem?: { code: string } }).problem?.code,
  );

test('what is saved is there after a restart, by name', async () => {
  const { folder, presets } = await begin();
  expect(await presets.list()).toEqual({ presets: [], problems: [] });
  const saved = await save(presets, 'Faces');
  expect(saved).toEqual({ ...faces, id: saved.id, ignored: [] });
  const looks = await save(presets, 'a look');
  expect(await inFolder(folder).list()).toEqual({ presets: [looks, saved], problems: [] });
  const files = [`${looks.id}.json`, `${saved.id}.json`].sort();
  expect((await readdir(folder)).sort()).toEqual(files);
});

test('a name is taken once, and replaced only when that is wished', async () => {
  const { presets } = await begin();
  const { id } = await save(presets, 'Faces');
  expect(await codeOf(save(presets, 'FACES'))).toBe('preset_exists');
  const again = await presets.save({ name: 'FACES', values: { epoch: 9 }, replace: true });
  expect(again.id).toBe(id);
  expect((await presets.list()).presets).toEqual([
    { id, name: 'FACES', values: { epoch: 9 }, ignored: [] },
  ]);
});

test('renamed: not to a name that another has, but to another spelling of its own', async () => {
  const { presets } = await begin();
  const { id } = await save(presets, 'Faces');
  await save(presets, 'Looks');
  expect(await codeOf(presets.rename(id, 'looks'))).toBe('preset_exists');
  await presets.rename(id, 'faces');
  expect((await presets.list()).presets.map(({ name }) => name)).toEqual(['faces', 'Looks']);
  expect(await codeOf(presets.rename('gone', 'New'))).toBe('preset_gone');
});

test('deleted, and only that', async () => {
  const { folder, presets } = await begin();
  const { id } = await save(presets, 'Faces');
  const kept = await save(presets, 'Looks');
  await presets.delete(id);
  expect((await presets.list()).presets).toEqual([kept]);
  expect(await codeOf(presets.delete(id))).toBe('preset_gone');
  await writeFile(join(folder, '..', 'settings.json'), '{}');
  expect(await codeOf(presets.delete('../settings'))).toBe('preset_gone');
  expect(await codeOf(presets.rename('../settings', 'New'))).toBe('preset_gone');
  expect(await readFile(join(folder, '..', 'settings.json'), 'utf8')).toBe('{}');
});

test.each([
  ['cut in half', '{"schemaVersion":1,"name":"Fa'],
  ['without a name', '{"schemaVersion":1,"values":{}}'],
  ['of another shape', '[1,2]'],
])('a file %s is set aside, not lost, and costs no other', async (_name, text) => {
  const { folder, presets } = await begin();
  const good = await save(presets, 'Faces');
  await writeFile(join(folder, 'bad.json'), text);
  const { presets: read, problems } = await presets.list();
  expect(read).toEqual([good]);
  const aside = (await readdir(folder)).find((name) => name.startsWith('bad')) ?? '';
  expect(aside).toMatch(/^bad\.broken-[^.]+$/u);
  expect(await readFile(join(folder, aside), 'utf8')).toBe(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.code).toBe('preset_broken');
  expect(problems[0]?.message).toContain(join(folder, 'bad.json'));
  expect(problems[0]?.hint).toContain(join(folder, aside));
  // Once it is aside it is no news.
  expect((await presets.list()).problems).toEqual([]);
});

test('a file of a newer version is told of and stays', async () => {
  const { folder, presets } = await begin();
  await save(presets, 'Faces');
  await writeFile(join(folder, 'newer.json'), '{"schemaVersion":2,"all":"new"}');
  const { problems } = await presets.list();
  expect(problems.map(({ code }) => code)).toEqual(['preset_version']);
  expect(await readdir(folder)).toContain('newer.json');
});

test('a file that cannot be opened is told of and stays', async () => {
  const { folder, presets } = await begin();
  await mkdir(join(folder, 'folder.json'), { recursive: true });
  const good = await save(presets, 'Faces');
  const { presets: read, problems } = await presets.list();
  expect(read).toEqual([good]);
  expect(problems).toHaveLength(1);
  expect(await readdir(folder)).toContain('folder.json');
});

test('values that mean nothing here are named, and kept in the file when it is renamed', async () => {
  const { folder, presets } = await begin();
  await mkdir(folder, { recursive: true });
  const values = { epoch: 3, from_the_future: true, flip_aug: 'maybe', output_dir: '/elsewhere' };
  const file = join(folder, 'shared by a friend.json');
  await writeFile(file, JSON.stringify({ schemaVersion: 1, name: 'Friend', values }));
  const [read] = (await presets.list()).presets;
  expect(read).toEqual({
    id: 'shared by a friend',
    name: 'Friend',
    values: { epoch: 3 },
    ignored: ['from_the_future', 'flip_aug', 'output_dir'],
  });
  await presets.rename('shared by a friend', 'Ann');
  const renamed: unknown = JSON.parse(await readFile(file, 'utf8'));
  expect(renamed).toEqual({ schemaVersion: 1, name: 'Ann', values });
});
