import { appendFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { venvPython } from '../../../build/paths.mjs';
import { sampleStage } from '../../../build/setup/materials.mjs';
import { runStage } from '../../../build/setup/stages.mjs';
import { tempFolder } from '../../fakes/temp-folder';

const sources = [
  'build/made_folder.py',
  'build/tiny-world/nova.py',
  'build/tiny-world/models/sdxl/unet/diffusion_pytorch_model.safetensors',
  'build/tiny-world/models/blip/model.safetensors',
];

async function write(root: string, name: string, content: string) {
  await mkdir(dirname(join(root, name)), { recursive: true });
  await writeFile(join(root, name), content);
}

/** A checkout whose Python is Node, and whose maker makes a folder and nothing in it. */
async function checkout() {
  const root = await tempFolder();
  await mkdir(dirname(venvPython(root)), { recursive: true });
  await symlink(process.execPath, venvPython(root));
  const maker = `require('node:fs').mkdirSync(process.argv[3], { recursive: true });`;
  await write(root, 'build/make_sample.py', maker);
  for (const name of sources) await write(root, name, 'something');
  return root;
}

test.each(sources)('the sample project is made again when %s changes', async (name) => {
  const root = await checkout();
  const stage = sampleStage(root);
  expect(stage.isDone()).toBe(false);
  await runStage(stage);
  expect(stage.isDone()).toBe(true);
  await appendFile(join(root, name), ' else');
  expect(stage.isDone()).toBe(false);
});

test('the sample project does not depend on what only builds its models', async () => {
  const root = await checkout();
  const stage = sampleStage(root);
  await runStage(stage);
  await write(root, 'build/tiny-world/train_sdxl.py', 'something');
  await write(root, 'build/tiny-world/models/judge.safetensors', 'something');
  expect(stage.isDone()).toBe(true);
});
