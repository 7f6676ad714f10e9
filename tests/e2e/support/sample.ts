import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataDir, venvPython } from '../../../build/paths.mjs';
import { root } from './app';

const run = promisify(execFile);

const sampleFolder = join(dataDir(root), 'sample');

/** A folder with ten photos of a woman in three shapes, and a text file. */
export const portraitPhotos = join(dataDir(root), 'portrait-photos');

/** The tiny SDXL that the sample project trains on. */
export async function sampleBaseModel(): Promise<string> {
  const text = await readFile(join(sampleFolder, 'sample.json'), 'utf8');
  return join(sampleFolder, (JSON.parse(text) as { readonly baseModel: string }).baseModel);
}

/** The portrait photos in Kohya's layout, and a config as kohya_ss saves one: strings for numbers, empty strings, unknown keys. */
export async function kohyaProject(
  folder: string,
  changes: Readonly<Record<string, unknown>> = {},
) {
  await cp(portraitPhotos, join(folder, 'img', '2_eileen woman'), {
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
    pretrained_model_name_or_path: await sampleBaseModel(),
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

/** What a script beside this file says of some files, as JSON. */
async function measure(script: string, ...files: readonly string[]): Promise<unknown> {
  const path = join(root, 'tests', 'e2e', 'support', script);
  const { stdout } = await run(venvPython(root), [path, ...files]);
  return JSON.parse(stdout);
}

/** Draws with and without the LoRA, through diffusers alone. */
export const loraEffect = async (baseModel: string, lora: string) =>
  (await measure('lora_effect.py', baseModel, lora)) as {
    meanAbsoluteDifference: number;
    adapters: number;
  };

/** How much each picture shows Nova rather than any woman: 1 for Nova, -1 for the average woman. */
export const likenesses = async (...pictures: readonly string[]) =>
  (await measure('likeness.py', ...pictures)) as readonly number[];
