import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canMount, expect, noMounts, test, withMounts } from './support/app';
import { atelier, kohyaProject, sampleBaseModel } from './support/sample';

/** One clear sentence that names the culprit, no traceback, an exit code that is not 0. */
function expectOneError(run: { code: number; stdout: string; stderr: string }, names: RegExp) {
  expect(run.code, run.stderr).not.toBe(0);
  expect(run.stderr).toMatch(names);
  expect(run.stdout + run.stderr).not.toMatch(/Traceback|at .*\.(ts|cjs|js):\d+/u);
}

test('a folder without images', async ({ home }) => {
  const empty = join(home, 'nothing here');
  await mkdir(empty);
  const { file } = await kohyaProject(home, { train_data_dir: empty });
  expectOneError(await atelier(['train', file]), /nothing here/u);
  expectOneError(await atelier(['plan', file]), /nothing here/u);
  expectOneError(await atelier(['caption', empty]), /nothing here/u);
});

test('an unreadable image is named and skipped, the others are trained', async ({ home }) => {
  const { file } = await kohyaProject(home, { epoch: 1 });
  const [concept = ''] = await readdir(join(home, 'img'));
  await writeFile(join(home, 'img', concept, 'broken.png'), 'not a picture');
  const plan = await atelier(['plan', '--json', file]);
  const { images, warnings } = JSON.parse(plan.stdout) as {
    images: number;
    warnings: { message: string }[];
  };
  expect(images).toBe(10);
  expect(warnings.some(({ message }) => message.includes('broken.png'))).toBe(true);
  const trained = await atelier(['train', file]);
  expect(trained.code, trained.stderr).toBe(0);
  expect(await readFile(join(home, 'img', concept, 'broken.png'), 'utf8')).toBe('not a picture');
});

test('a base model that is missing, and one that is not SDXL', async ({ home }) => {
  const missing = await kohyaProject(home, {
    pretrained_model_name_or_path: join(home, 'gone.safetensors'),
  });
  expectOneError(await atelier(['train', missing.file]), /gone\.safetensors/u);

  const lora = await kohyaProject(join(home, 'first'), { epoch: 1 });
  expect((await atelier(['train', lora.file])).code).toBe(0);
  const wrong = await kohyaProject(join(home, 'second'), {
    pretrained_model_name_or_path: lora.lora,
  });
  const run = await atelier(['train', wrong.file]);
  expectOneError(run, /eileen\.safetensors/u);
  expect(run.stderr).toMatch(/LoRA/u);
  expect(run.stderr).toMatch(/SDXL/u);

  const torn = join(home, 'torn.safetensors');
  await writeFile(torn, (await readFile(lora.lora)).subarray(0, 2000));
  const cut = await kohyaProject(join(home, 'third'), { pretrained_model_name_or_path: torn });
  expectOneError(await atelier(['train', cut.file]), /torn\.safetensors/u);
});

test('a full disk', async ({ home }) => {
  test.skip(!canMount(), noMounts);
  const { file, config } = await kohyaProject(join(home, 'project'), { epoch: 1 });
  const small = join(home, 'small');
  await mkdir(small);
  await writeFile(file, JSON.stringify({ ...config, output_dir: join(small, 'model') }));
  const full = `mount -t tmpfs -o size=8k full "${small}" && mkdir "${small}/model"`;
  const run = await atelier(['train', file], { under: withMounts(full) });
  expectOneError(run, /small.*model|disk|space/iu);
  expect(run.stderr).toMatch(/free/u);
});

test('a folder that may not be written', async ({ home }) => {
  test.skip(!canMount(), noMounts);
  const { file } = await kohyaProject(home, { epoch: 1 });
  const readOnly = withMounts(`mount -t tmpfs -o ro,size=1m closed "${join(home, 'model')}"`);
  expectOneError(await atelier(['train', file], { under: readOnly }), /model.*writ|writ.*model/iu);
});

test('a Python environment that is broken', async ({ home }) => {
  const { file } = await kohyaProject(home);
  const run = await atelier(['plan', file], {
    env: { ATELIER_PYTHON: join(home, 'no-python-here') },
  });
  expectOneError(run, /Python/u);
  expect(run.stderr).toMatch(/npm start/u);
});

test('a Kohya JSON that was cut in half', async ({ home }) => {
  const { file } = await kohyaProject(home);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.slice(0, text.length / 2));
  expectOneError(await atelier(['train', file]), /config\.json/u);
  expect(await readFile(file, 'utf8')).toHaveLength(Math.floor(text.length / 2));
});

test('nothing that was there is lost', async ({ home }) => {
  const baseModel = await sampleBaseModel();
  const before = await readdir(baseModel, { recursive: true });
  const { file } = await kohyaProject(home, { train_batch_size: 'many' });
  const run = await atelier(['train', file]);
  expectOneError(run, /Train batch size|train_batch_size/u);
  expect(await readdir(baseModel, { recursive: true })).toEqual(before);
});
