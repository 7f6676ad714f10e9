import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { Datasets } from '../../../electron/services/datasets';
import { Thumbnails } from '../../../electron/services/thumbnails';
import type { ReadPicture } from '../../../shared/dataset-answers';
import type { PictureEdit } from '../../../shared/picture-edits';
import { tempFolder } from '../../fakes/temp-folder';

async function setUp() {
  const folder = await tempFolder();
  for (const name of ['10.jpg', '2.png', '.hidden.jpg', 'x.psd', 'notes.md'])
    await writeFile(join(folder, name), name);
  const thumbnails = new Thumbnails(join(folder, 'cache'), () =>
    Promise.resolve({ width: 3, height: 4, format: 'jpeg', problem: null }),
  );
  const read: ReadPicture[] = [];
  const datasets = new Datasets(thumbnails, (told) => read.push(...told));
  return { folder, read, datasets };
}

test('a scan shows the pictures as a person counts, with captions, and marks what cannot be used', async () => {
  const { folder, datasets } = await setUp();
  await writeFile(join(folder, '2.txt'), 'two\n');
  await writeFile(join(folder, '2.caption'), 'other');
  const { images } = await datasets.scan(folder, '.txt');
  expect(images.map(({ name, caption }) => [name, caption])).toEqual([
    ['2.png', 'two'],
    ['10.jpg', null],
    ['x.psd', null],
  ]);
  expect(images[2]?.facts?.problem).toMatch(/PSD/u);
  expect((await datasets.scan(folder, '.caption')).images[0]?.caption).toBe('other');
});

test('a scan waits for no picture: what is in them is told as it is read, and known the next time', async () => {
  const { folder, datasets, read } = await setUp();
  const { images } = await datasets.scan(folder, '.txt');
  expect(images.map(({ facts }) => facts?.width)).toEqual([undefined, undefined, 0]);
  await vi.waitFor(() => expect(read).toHaveLength(2));
  expect(new Set(read.map(({ id }) => id))).toEqual(
    new Set(images.slice(0, 2).map(({ id }) => id)),
  );
  const again = await datasets.scan(folder, '.txt');
  expect(again.images.map(({ facts }) => facts?.width)).toEqual([3, 3, 0]);
});

test('an edit is kept beside the picture, gives it another id, and goes with its file', async () => {
  const { folder, datasets } = await setUp();
  const [before] = (await datasets.scan(folder, '.txt')).images;
  const original = await readFile(join(folder, '2.png'));
  const edit = { rotate: 90, crop: [0, 0, 0.5, 1] } satisfies PictureEdit;
  const edited = await datasets.editPicture(before?.id ?? '', '.txt', edit);
  expect(edited).toMatchObject({ name: '2.png', edit });
  expect(edited.id).not.toBe(before?.id);
  expect((await datasets.scan(folder, '.txt')).images[0]).toMatchObject({ id: edited.id, edit });
  expect(await readFile(join(folder, '2.png'))).toEqual(original);
  const restored = await datasets.editPicture(edited.id, '.txt', { rotate: 0, crop: [0, 0, 1, 1] });
  expect(restored).toMatchObject({ id: before?.id, edit: null });
  expect(await readdir(folder)).not.toContain('2.png.edit.json');
  await expect(datasets.editPicture('unknown', '.txt', edit)).rejects.toMatchObject({
    problem: { code: 'picture_unknown' },
  });
});

test('the id of a picture changes with it', async () => {
  const { folder, datasets } = await setUp();
  const [before] = (await datasets.scan(folder, '.txt')).images;
  const [same] = (await datasets.scan(folder, '.txt')).images;
  await writeFile(join(folder, '2.png'), 'edited');
  const [after] = (await datasets.scan(folder, '.txt')).images;
  expect(same?.id).toBe(before?.id);
  expect(after?.id).not.toBe(before?.id);
});

test('a caption is written on one line beside its picture', async () => {
  const { folder, datasets } = await setUp();
  const [first] = (await datasets.scan(folder, '.txt')).images;
  expect(await datasets.writeCaption(first?.id ?? '', '.txt', ' a\nwoman ')).toBe('a woman');
  expect(await readFile(join(folder, '2.txt'), 'utf8')).toBe('a woman\n');
  expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test.each([
  ['an empty caption', '.txt', '  ', 'caption_empty'],
  ['an extension that leads elsewhere', '/../x.txt', 'a', 'caption_extension'],
  ['the picture’s own extension', '.png', 'a', 'caption_extension'],
])('%s is refused and the old caption stays', async (_name, extension, text, code) => {
  const { folder, datasets } = await setUp();
  await writeFile(join(folder, '2.txt'), 'old');
  const [first] = (await datasets.scan(folder, '.txt')).images;
  await expect(datasets.writeCaption(first?.id ?? '', extension, text)).rejects.toMatchObject({
    problem: { code },
  });
  expect(await readFile(join(folder, '2.txt'), 'utf8')).toBe('old');
  expect(await readFile(join(folder, '2.png'), 'utf8')).toBe('2.png');
});

test('only pictures that were shown can be written to', async () => {
  const { datasets } = await setUp();
  await expect(datasets.writeCaption('0'.repeat(32), '.txt', 'x')).rejects.toMatchObject({
    problem: { code: 'picture_unknown' },
  });
});

test.each([
  ['', 'folder_not_chosen'],
  ['/no/such/folder', 'folder_missing'],
])('the folder %j is refused', async (folder, code) => {
  const { datasets } = await setUp();
  await expect(datasets.scan(folder, '.txt')).rejects.toMatchObject({ problem: { code } });
});

test('what is dropped stands for its folder', async () => {
  const { folder, datasets } = await setUp();
  expect(await datasets.folderOf(folder)).toBe(folder);
  expect(await datasets.folderOf(join(folder, '2.png'))).toBe(folder);
});
