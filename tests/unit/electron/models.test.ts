import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { modelsBeside } from '../../../electron/services/models';
import { tempFolder } from '../../fakes/temp-folder';

test('the models in the folder of one are named, and nothing else', async () => {
  const folder = await tempFolder();
  for (const name of ['b.safetensors', 'a.SAFETENSORS', 'notes.txt', 'old.ckpt'])
    await writeFile(join(folder, name), '');
  await mkdir(join(folder, 'c.safetensors'));
  const expected = [join(folder, 'a.SAFETENSORS'), join(folder, 'b.safetensors')];
  expect(await modelsBeside(join(folder, 'b.safetensors'))).toEqual(expected);
  expect(await modelsBeside(join(folder, 'not there'))).toEqual(expected);
});

test('a name of the hub and a folder that is gone have none', async () => {
  expect(await modelsBeside('stabilityai/stable-diffusion-xl-base-1.0')).toEqual([]);
  expect(await modelsBeside(join(await tempFolder(), 'gone', 'a.safetensors'))).toEqual([]);
});
