import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { readConfigFile } from '../../../electron/cli/config-file';
import { exportCommand } from '../../../electron/cli/export';
import { nowhere } from '../../../electron/cli/plan';
import { trainConfigSchema } from '../../../shared/parameters';
import { tempFolder } from '../../fakes/temp-folder';

const paths = { train_data_dir: 'img', output_dir: 'model', logging_dir: '' };
const windowsPath = 'D:\\out';

/** What the command says on the side is not for the test's own output. */
beforeEach(() => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  return () => vi.restoreAllMocks();
});

async function save(values: Readonly<Record<string, unknown>>): Promise<string> {
  const file = join(await tempFolder(), 'config.json');
  await writeFile(file, JSON.stringify(values));
  return file;
}

test('paths are completed, and the logs go beside the LoRA', async () => {
  const config = await readConfigFile(await save(paths));
  expect(config.train_data_dir).toBe(resolve('img'));
  expect(config.logging_dir).toBe(resolve('model', 'log'));
});

test('a plan needs no place to write to', async () => {
  const file = await save({ ...paths, output_dir: '', output_name: 'a/b' });
  await expect(readConfigFile(file)).rejects.toMatchObject({ problem: { code: 'bad_config' } });
  const forPlan = await readConfigFile(file, nowhere);
  expect(trainConfigSchema.safeParse(forPlan).success).toBe(true);
  expect(forPlan.train_data_dir).toBe(resolve('img'));
});

test('elsewhere a path of Windows is refused under its own name, where something is written', async () => {
  const file = await save({ ...paths, output_dir: windowsPath });
  const forTraining = readConfigFile(file);
  await (isAbsolute(windowsPath)
    ? expect(forTraining).resolves.toMatchObject({ output_dir: windowsPath })
    : expect(forTraining).rejects.toThrow(`output_dir is ${windowsPath},`));
  await expect(readConfigFile(file, nowhere)).resolves.toBeDefined();
});

test('a config of sd-scripts is read too, and what is exported is the same config', async () => {
  const folder = await tempFolder();
  const json = await save({ ...paths, network_dim: 8, use_ema: true });
  const toml = join(folder, 'config.toml');
  const again = join(folder, 'again.json');
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(await exportCommand(json, toml)).toBe(0);
  expect(await readFile(toml, 'utf8')).toContain('network_dim = 8');
  expect(await exportCommand(toml, again)).toBe(0);
  expect(await readConfigFile(again)).toEqual(await readConfigFile(json));
  expect(await readConfigFile(toml)).toEqual(await readConfigFile(json));
});

test('an export replaces no file, and its ending says what is written', async () => {
  const file = await save(paths);
  const export_ = (to: string) => exportCommand(file, to);
  await expect(export_(file)).rejects.toMatchObject({ problem: { code: 'file_exists' } });
  await expect(export_('config.txt')).rejects.toMatchObject({ problem: { code: 'usage' } });
});
