import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openConfig, saveConfig } from '../../../electron/services/config-files';
import { contract } from '../../../shared/contract';
import { defaultTrainConfig } from '../../../shared/parameters';
import { tempFolder } from '../../fakes/temp-folder';

async function written(name: string, text: string): Promise<string> {
  const path = join(await tempFolder(), name);
  await writeFile(path, text);
  return path;
}

test.each([
  ['run.json', '{"network_dim": "8"}'],
  ['run.TOML', 'network_dim = 8\n'],
])('%s is opened under its name, and fits its channel', async (name, text) => {
  const opened = await openConfig(await written(name, text));
  expect(opened.name).toBe(name);
  expect(opened.config.network_dim).toBe(8);
  expect(opened.taken).toContain('network_dim');
  expect(contract['config:open'].response.safeParse(opened).success).toBe(true);
});

test.each([
  ['a.json', '{', 'json_broken'],
  ['a.toml', 'x =', 'toml_broken'],
  ['a.txt', '{"epoch": 1}', 'not_a_config'],
  ['a.json', `"${'x'.repeat(5_000_000)}"`, 'not_a_config'],
])('%s is refused where it is none', async (name, text, code) => {
  await expect(openConfig(await written(name, text))).rejects.toMatchObject({ problem: { code } });
});

test('a folder and a file that is gone are named', async () => {
  const folder = join(await tempFolder(), 'a.json');
  await expect(openConfig(folder)).rejects.toMatchObject({ problem: { code: 'not_found' } });
  await mkdir(folder);
  await expect(openConfig(folder)).rejects.toMatchObject({ problem: { code: 'not_a_config' } });
});

test('what was typed is saved where it is told to be, with its ending', async () => {
  const folder = await tempFolder();
  const draft = { network_dim: 8, output_dir: folder, output_name: 'nova', shuffle_caption: true };
  let suggested = '';
  const saved = await saveConfig(draft, 'toml', (place) => {
    suggested = place;
    return Promise.resolve(join(folder, 'mine'));
  });
  expect(suggested).toBe(join(folder, 'nova.toml'));
  expect(saved?.path).toBe(join(folder, 'mine.toml'));
  // Kohya's trainer does not cache the texts of captions that change.
  expect(saved?.otherwise.join()).toContain('Cache text encoder outputs');
  expect((await openConfig(join(folder, 'mine.toml'))).config).toEqual({
    ...defaultTrainConfig,
    ...draft,
  });
  expect(await readdir(folder)).toEqual(['mine.toml']);
});

test('nothing is written after Cancel, nor over a file that was not asked about', async () => {
  const path = await written('mine.json', 'precious');
  expect(await saveConfig({}, 'json', () => Promise.resolve(null))).toBeNull();
  const named = saveConfig({}, 'json', () => Promise.resolve(path.replace('.json', '')));
  await expect(named).rejects.toMatchObject({ problem: { code: 'file_exists' } });
  expect(await readFile(path, 'utf8')).toBe('precious');
  await saveConfig({ seed: 7 }, 'json', () => Promise.resolve(path));
  expect(await readFile(path, 'utf8')).toContain('"seed": 7');
});

test('a number that is not typed yet is saved as none', async () => {
  const path = await written('draft.json', '');
  await saveConfig({ network_dim: null, seed: null }, 'json', () => Promise.resolve(path));
  expect((await openConfig(path)).config).toEqual(defaultTrainConfig);
});
