import { writeFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { readConfigFile } from '../../../electron/cli/config-file';
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

test('what a plan does not use may be missing', async () => {
  const file = await save({ ...paths, output_dir: '' });
  await expect(readConfigFile(file)).rejects.toMatchObject({ problem: { code: 'bad_config' } });
  const plan = await readConfigFile(file, ['output_dir', 'logging_dir']);
  expect(plan.output_dir).toBe('');
});

test('elsewhere a path of Windows is refused under its own name, where something is written', async () => {
  const file = await save({ ...paths, output_dir: windowsPath });
  const forTraining = readConfigFile(file);
  await (isAbsolute(windowsPath)
    ? expect(forTraining).resolves.toMatchObject({ output_dir: windowsPath })
    : expect(forTraining).rejects.toThrow(`output_dir is ${windowsPath},`));
  const forPlan = await readConfigFile(file, ['output_dir', 'logging_dir']);
  expect(forPlan.output_dir).toBe(windowsPath);
});
