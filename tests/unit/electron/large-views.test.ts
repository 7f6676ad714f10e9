import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { LargeViews } from '../../../electron/services/large-views';
import { tempFolder } from '../../fakes/temp-folder';

const setUp = async () => {
  const folder = join(await tempFolder(), 'large');
  const show = vi.fn(async (path: string, target: string) => {
    if (path.includes('broken')) throw new Error('It is damaged.');
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, path);
  });
  const pathOf = (id: string) => (id === 'unknown' ? null : `/photos/${id}.png`);
  return { folder, show, views: new LargeViews(folder, show, pathOf) };
};

test('a picture is made once, what an earlier start left goes, and old ones make room', async () => {
  const { folder, show, views } = await setUp();
  await mkdir(folder);
  await writeFile(join(folder, 'left.webp'), 'of before');
  expect(String(await views.find('edited', '0'))).toBe('/photos/0.png');
  await views.find('edited', '0');
  expect(show).toHaveBeenCalledTimes(1);
  expect(await readdir(folder)).toEqual(['0-edited.webp']);
  for (let id = 1; id < 40; id += 1) await views.find('uncropped', String(id));
  const kept = await readdir(folder);
  expect(kept).toHaveLength(24);
  expect(kept).toContain('39-uncropped.webp');
});

test('what no scan has shown, and what cannot be read, is null, and asked for again', async () => {
  const { show, views } = await setUp();
  expect(await views.find('edited', 'unknown')).toBeNull();
  expect(await views.find('edited', 'broken')).toBeNull();
  expect(await views.find('edited', 'broken')).toBeNull();
  expect(show).toHaveBeenCalledTimes(2);
});
