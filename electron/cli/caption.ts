import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { z } from 'zod';
import { captionConfigSchema, type CaptionConfig } from '../../shared/protocol';
import { ProblemError } from '../../shared/result';
import { emptyProject } from '../../shared/settings';
import type { Context } from './context';
import { print, printAside } from './print';
import { runJob } from './run-job';

const { image_dir: _, ...defaults } = emptyProject.captioning;

function numeric(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number))
    throw new InvalidArgumentError('It must be a number.');
  return number;
}

/** Adds an option for each field of a caption config. */
export const addCaptionOptions = (command: Command): Command =>
  command
    .option('--model <path>', 'BLIP model: a folder or a Hugging Face name', defaults.model)
    .option(
      '--caption-extension <ext>',
      'extension of the caption files',
      defaults.caption_extension,
    )
    .option('--prefix <text>', 'text in front of each caption', defaults.prefix)
    .option('--postfix <text>', 'text after each caption', defaults.postfix)
    .option('--batch-size <n>', 'pictures at a time', numeric, defaults.batch_size)
    .option('--no-use-beam-search', 'sample instead of searching')
    .option('--num-beams <n>', 'number of beams', numeric, defaults.num_beams)
    .option('--top-p <p>', 'share of likely words to sample from', numeric, defaults.top_p)
    .option('--max-length <n>', 'longest caption, in tokens', numeric, defaults.max_length)
    .option('--min-length <n>', 'shortest caption, in tokens', numeric, defaults.min_length)
    .addOption(
      new Option('--existing <what>', 'what to do with captions that are there')
        .choices(['overwrite', 'skip'])
        .default(defaults.existing),
    )
    .option('--logging-dir <folder>', 'where the job’s folder is made (default: DIR/log)');

const optionsSchema = z.object({
  model: z.string(),
  captionExtension: z.string(),
  prefix: z.string(),
  postfix: z.string(),
  batchSize: z.number(),
  useBeamSearch: z.boolean(),
  numBeams: z.number(),
  topP: z.number(),
  maxLength: z.number(),
  minLength: z.number(),
  existing: z.string(),
  loggingDir: z.string().optional(),
});

/** `caption DIR`: BLIP captions beside the pictures of a folder. */
export async function captionCommand(
  context: Context,
  dir: string,
  options: unknown,
): Promise<number> {
  const { loggingDir, ...given } = optionsSchema.parse(options);
  const config = checkConfig({
    model: existsSync(given.model) ? resolve(given.model) : given.model,
    image_dir: resolve(dir),
    caption_extension: given.captionExtension,
    prefix: given.prefix,
    postfix: given.postfix,
    batch_size: given.batchSize,
    use_beam_search: given.useBeamSearch,
    num_beams: given.numBeams,
    top_p: given.topP,
    max_length: given.maxLength,
    min_length: given.minLength,
    existing: given.existing,
  });
  if (!existsSync(config.image_dir))
    throw new ProblemError(
      'folder_missing',
      `There is no folder ${config.image_dir}.`,
      'Check the path.',
    );
  const { status, captionFailures } = await runJob(context, {
    kind: 'caption',
    logging_dir: resolve(loggingDir ?? join(dir, 'log')),
    config,
  });
  if (status.kind === 'failed') return 1;
  if (captionFailures.length > 0)
    printAside(
      `No caption for: ${captionFailures.map(({ image }) => basename(image)).join(', ')}.`,
    );
  else if (status.kind === 'completed') print('Every picture has a caption.');
  if (status.kind === 'stopped') print('Stopped.');
  return 0;
}

function checkConfig(config: unknown): CaptionConfig {
  const parsed = captionConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ProblemError(
    'bad_option',
    `--${issue?.path.join('.').replaceAll('_', '-') ?? ''}: ${issue?.message ?? 'not valid'}`,
    'See: atelier caption --help',
  );
}
