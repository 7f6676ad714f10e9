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
    .option(
      '--model <path>',
      'BLIP, BLIP-2, GIT or WD14: a folder or a Hugging Face name',
      defaults.model,
    )
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
        .choices(['overwrite', 'skip', 'append'])
        .default(defaults.existing),
    )
    .option('--images <names...>', 'only these pictures of the folder')
    .option('--candidates <n>', 'print so many captions of each, write none', numeric, 0)
    .option('--blip2-num-beams <n>', 'BLIP-2: number of beams', numeric, defaults.blip2_num_beams)
    .option(
      '--blip2-min-new-tokens <n>',
      'BLIP-2: shortest caption, in tokens',
      numeric,
      defaults.blip2_min_new_tokens,
    )
    .option(
      '--blip2-max-new-tokens <n>',
      'BLIP-2: longest caption, in tokens',
      numeric,
      defaults.blip2_max_new_tokens,
    )
    .option(
      '--blip2-length-penalty <n>',
      'BLIP-2: above 0 beams prefer long captions',
      numeric,
      defaults.blip2_length_penalty,
    )
    .option(
      '--blip2-repetition-penalty <n>',
      'BLIP-2: above 1 it repeats itself less',
      numeric,
      defaults.blip2_repetition_penalty,
    )
    .option(
      '--blip2-temperature <n>',
      'BLIP-2: how far sampling strays',
      numeric,
      defaults.blip2_temperature,
    )
    .option(
      '--wd14-general-threshold <n>',
      'WD14: how likely a tag must be',
      numeric,
      defaults.wd14_general_threshold,
    )
    .option(
      '--wd14-character-threshold <n>',
      'WD14: how likely a character must be',
      numeric,
      defaults.wd14_character_threshold,
    )
    .option('--wd14-separator <text>', 'WD14: between two tags', defaults.wd14_separator)
    .option(
      '--wd14-undesired-tags <text>',
      'WD14: tags that are never written, with commas',
      defaults.wd14_undesired_tags,
    )
    .option(
      '--wd14-tag-replacement <text>',
      'WD14: tag,other;tag,other',
      defaults.wd14_tag_replacement,
    )
    .option('--no-wd14-remove-underscore', 'WD14: keep the underscores of tags')
    .addOption(
      new Option('--wd14-rating-tags <where>', 'WD14: where the rating is written')
        .choices(['none', 'first', 'last'])
        .default(defaults.wd14_rating_tags),
    )
    .option('--wd14-character-tags-first', 'WD14: characters before the other tags', false)
    .option('--wd14-character-tag-expand', 'WD14: name_(series) as two tags', false)
    .option('--logging-dir <folder>', 'where the job’s folder is made (default: DIR/log)');

/** What is not a field of the config, and what is more than the field that it becomes. */
const optionsSchema = z.looseObject({
  model: z.string(),
  images: z.array(z.string()).optional(),
  loggingDir: z.string().optional(),
});

/** `topP` is the field `top_p`. */
const fieldOf = (option: string): string =>
  option.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);

/** `caption DIR`: captions beside the pictures of a folder. */
export async function captionCommand(
  context: Context,
  dir: string,
  options: unknown,
): Promise<number> {
  const { loggingDir, model, images, ...given } = optionsSchema.parse(options);
  const fields = Object.entries(given).map(([option, value]) => [fieldOf(option), value]);
  const config = checkConfig({
    ...Object.fromEntries(fields),
    model: existsSync(model) ? resolve(model) : model,
    image_dir: resolve(dir),
    images: images ?? null,
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
  else if (status.kind === 'completed' && config.candidates === 0)
    print('Every picture has a caption.');
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
