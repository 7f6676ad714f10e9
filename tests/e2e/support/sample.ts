import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataDir, venvPython } from '../../../build/paths.mjs';
import { root } from './app';

const run = promisify(execFile);

const sampleFolder = join(dataDir(root), 'sample');

interface Sample {
  readonly instancePrompt: string;
  readonly classPrompt: string;
  readonly repeats: number;
  readonly photos: string;
  readonly regularization: string;
  readonly baseModel: string;
  readonly blip: string;
}

export async function readSample(): Promise<Sample> {
  const sample = JSON.parse(await readFile(join(sampleFolder, 'sample.json'), 'utf8')) as Sample;
  const absolute = (name: string) => join(sampleFolder, name);
  return {
    ...sample,
    photos: absolute(sample.photos),
    regularization: absolute(sample.regularization),
    baseModel: absolute(sample.baseModel),
    blip: absolute(sample.blip),
  };
}

/** The sample's photos in Kohya's layout, and a config as kohya_ss saves one: strings for numbers, empty strings, unknown keys. */
export async function kohyaProject(
  folder: string,
  changes: Readonly<Record<string, unknown>> = {},
) {
  const sample = await readSample();
  await cp(sample.photos, join(folder, 'img', `2_${sample.instancePrompt} ${sample.classPrompt}`), {
    recursive: true,
    filter: (source) => !source.endsWith('LICENCE.txt'),
  });
  await mkdir(join(folder, 'model'), { recursive: true });
  const config: Record<string, unknown> = {
    LoRA_type: 'Standard',
    adaptive_noise_scale: 0,
    bucket_no_upscale: true,
    bucket_reso_steps: 64,
    caption_extension: '.txt',
    enable_bucket: true,
    epoch: '2',
    gradient_accumulation_steps: 1.0,
    gradient_checkpointing: false,
    learning_rate: '0.0003',
    logging_dir: join(folder, 'log'),
    lr_scheduler: 'constant',
    lr_warmup: 0,
    max_resolution: '128,128',
    max_bucket_reso: 256,
    min_bucket_reso: 64,
    max_train_epochs: '',
    max_train_steps: '0',
    mixed_precision: 'no',
    network_alpha: '4',
    network_dim: 8,
    optimizer: 'AdamW8bit',
    output_dir: join(folder, 'model'),
    output_name: 'eileen',
    pretrained_model_name_or_path: sample.baseModel,
    reg_data_dir: '',
    save_every_n_epochs: 1,
    save_precision: 'fp16',
    sdxl: true,
    seed: '42',
    text_encoder_lr: 0,
    train_batch_size: 4,
    train_data_dir: join(folder, 'img'),
    unet_lr: 0.0003,
    xformers: true,
    a_key_of_the_future: null,
    ...changes,
  };
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify(config, null, 2));
  return { file, config, lora: join(folder, 'model', 'eileen.safetensors') };
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line, as `npm run atelier --` runs it once everything is built. */
export async function atelier(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly under?: readonly string[];
  } = {},
): Promise<Finished> {
  const command = [
    ...(options.under ?? []),
    process.execPath,
    join(root, 'dist', 'electron', 'cli.cjs'),
    ...args,
  ];
  const [program = process.execPath, ...rest] = command;
  try {
    const { stdout, stderr } = await run(program, rest, {
      cwd: root,
      env: { ...process.env, ...options.env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: 0, stdout, stderr };
  } catch (failure) {
    const { code, stdout, stderr } = failure as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

/** Draws with and without the LoRA, through diffusers alone. */
export async function loraEffect(baseModel: string, lora: string) {
  const script = join(root, 'tests', 'e2e', 'support', 'lora_effect.py');
  const { stdout } = await run(venvPython(root), [script, baseModel, lora]);
  return JSON.parse(stdout) as { meanAbsoluteDifference: number; adapters: number };
}
