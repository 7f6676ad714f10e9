import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, root, test } from './support/app';
import { atelier, kohyaProject, loraEffect, sampleBaseModel } from './support/sample';

test('a Kohya JSON is planned without a base model at hand', async ({ home }) => {
  const { file } = await kohyaProject(home, {
    pretrained_model_name_or_path: join(home, 'missing.safetensors'),
  });
  const { code, stdout } = await atelier(['plan', '--json', file]);
  expect(code).toBe(0);
  const plan = JSON.parse(stdout) as {
    buckets: { resolution: [number, number]; count: number }[];
    images: number;
    batchesPerEpoch: number;
    stepsPerEpoch: number;
    totalSteps: number;
    warnings: { message: string }[];
  };
  expect(plan.images).toBe(10);
  expect(plan.buckets.length).toBeGreaterThanOrEqual(3);
  expect(plan.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(20);
  expect(plan.batchesPerEpoch).toBe(
    plan.buckets.reduce((sum, { count }) => sum + Math.ceil(count / 4), 0),
  );
  expect(plan.stepsPerEpoch).toBe(plan.batchesPerEpoch);
  expect(plan.totalSteps).toBe(2 * plan.stepsPerEpoch);
  expect(plan.warnings.some(({ message }) => message.includes('missing.safetensors'))).toBe(true);
});

test('a plan in words tells buckets, steps, files, room and memory', async ({ home }) => {
  const { file } = await kohyaProject(home);
  const { code, stdout } = await atelier(['plan', file]);
  expect(code).toBe(0);
  for (const line of [
    /^Bucket \d+x\d+: \d+ pictures, shown \d+ times in \d+ batches/mu,
    /^\d+ steps an epoch x 2 epochs: \d+ steps$/mu,
    /^LoRA files: 2 of [\d.]+ KB$/mu,
    /^Room for .*: .* needed, .* free$/mu,
    /^Memory: .* on ./mu,
  ])
    expect(stdout).toMatch(line);
});

test('a Kohya JSON is trained to a LoRA that diffusers accepts and that has an effect', async ({
  home,
}) => {
  const { file, lora } = await kohyaProject(home);
  const trained = await atelier(['train', file]);
  expect(trained.code, trained.stderr).toBe(0);
  expect((await stat(lora)).size).toBeGreaterThan(10_000);
  expect(existsSync(join(home, 'model', 'eileen-000001.safetensors'))).toBe(true);
  const [job = ''] = await readdir(join(home, 'log'));
  expect(await readdir(join(home, 'log', job))).toEqual(
    expect.arrayContaining(['job.json', 'events.jsonl', 'state.json', 'proc.json', 'console.log']),
  );

  const inspected = await atelier(['inspect', lora]);
  expect(inspected.code).toBe(0);
  expect(inspected.stdout).toMatch(/rank\D+8/iu);
  expect(inspected.stdout).toMatch(/alpha\D+4/iu);

  const effect = await loraEffect(await sampleBaseModel(), lora);
  expect(effect.adapters).toBeGreaterThan(0);
  expect(effect.meanAbsoluteDifference).toBeGreaterThan(0.01);
});

test('Ctrl-C stops a training and saves what was learnt', async ({ home }) => {
  const { file, lora } = await kohyaProject(home, { epoch: 1000 });
  const child = spawn(
    process.execPath,
    [join(root, 'dist', 'electron', 'cli.cjs'), 'train', file],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  const exit = once(child, 'exit');
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  await expect.poll(() => /\b[3-9]\/\d{3,}/u.test(output), { timeout: 120_000 }).toBe(true);
  child.kill('SIGINT');
  const [code] = (await exit) as [number];
  expect(code, output).toBe(0);
  const metadata = (await atelier(['inspect', '--json', lora])).stdout;
  const { metadata: written } = JSON.parse(metadata) as { metadata: Record<string, string> };
  expect(Number(written['ss_steps'])).toBeGreaterThanOrEqual(3);
  expect(Number(written['ss_steps'])).toBeLessThan(5000);
});

test('two processes train together, each with its share of every batch', async ({ home }) => {
  const { file, lora } = await kohyaProject(home, { train_batch_size: 2 });
  const trained = await atelier(['train', file, '--processes', '2']);
  expect(trained.code, trained.stderr).toBe(0);
  const { stdout } = await atelier(['inspect', '--json', lora]);
  const { metadata } = JSON.parse(stdout) as { metadata: Record<string, string> };
  expect(metadata['ss_batch_size_per_device']).toBe('2');
  expect(metadata['ss_total_batch_size']).toBe('4');
  const none = await atelier(['train', file, '--processes', '0']);
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('It must be a whole number from 1 to 64.');
});

test('a finished LoRA is never overwritten by the next run', async ({ home }) => {
  const { file, lora } = await kohyaProject(home, { epoch: 1 });
  expect((await atelier(['train', file])).code).toBe(0);
  const first = await readFile(lora);
  expect((await atelier(['train', file])).code).toBe(0);
  const kept = (await readdir(join(home, 'model'))).filter((name) => name.includes('previous'));
  expect(kept).toHaveLength(1);
  expect(await readFile(join(home, 'model', kept[0] ?? ''))).toEqual(first);
});
