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
  images: z.array(z.string()).optional(),
  candidates: z.number(),
  blip2NumBeams: z.number(),
  blip2MinNewTokens: z.number(),
  blip2MaxNewTokens: z.number(),
  blip2LengthPenalty: z.number(),
  blip2RepetitionPenalty: z.number(),
  blip2Temperature: z.number(),
  wd14GeneralThreshold: z.number(),
  wd14CharacterThreshold: z.number(),
  wd14Separator: z.string(),
  wd14UndesiredTags: z.string(),
  wd14TagReplacement: z.string(),
  wd14RemoveUnderscore: z.boolean(),
  wd14RatingTags: z.string(),
  wd14CharacterTagsFirst: z.boolean(),
  wd14CharacterTagExpand: z.boolean(),
  loggingDir: z.string().optional(),
});

/** `caption DIR`: captions beside the pictures of a folder. */
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
    images: given.images ?? null,
    candidates: given.candidates,
    blip2_num_beams: given.blip2NumBeams,
    blip2_min_new_tokens: given.blip2MinNewTokens,
    blip2_max_new_tokens: given.blip2MaxNewTokens,
    blip2_length_penalty: given.blip2LengthPenalty,
    blip2_repetition_penalty: given.blip2RepetitionPenalty,
    blip2_temperature: given.blip2Temperature,
    wd14_general_threshold: given.wd14GeneralThreshold,
    wd14_character_threshold: given.wd14CharacterThreshold,
    wd14_separator: given.wd14Separator,
    wd14_undesired_tags: given.wd14UndesiredTags,
    wd14_tag_replacement: given.wd14TagReplacement,
    wd14_remove_underscore: given.wd14RemoveUnderscore,
    wd14_rating_tags: given.wd14RatingTags,
    wd14_character_tags_first: given.wd14CharacterTagsFirst,
    wd14_character_tag_expand: given.wd14CharacterTagExpand,
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
