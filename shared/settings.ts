import { z } from 'zod';
import { datasetFormSchema, emptyDataset } from './dataset-form';
import { parameterKeys } from './parameters';
import type { CaptionerIdentity } from './worker-protocol';

/** What the app keeps between two starts. Precious: a file that cannot be read is set aside, never overwritten. */

export const tabs = ['dataset', 'captioning', 'parameters', 'training'] as const;
export type TabName = (typeof tabs)[number];

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** Forms are kept as typed, so a draft may hold what is not valid yet; it is checked where it is used. */
const draftValueSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export type DraftValue = z.infer<typeof draftValueSchema>;

/** Models that are offered, with what they are. */
export const usualCaptioners = {
  'Salesforce/blip-image-captioning-large': 'blip',
  'Salesforce/blip-image-captioning-base': 'blip',
  'Salesforce/blip2-opt-2.7b': 'blip-2',
  'microsoft/git-large-textcaps': 'git',
  'SmilingWolf/wd-v1-4-convnextv2-tagger-v2': 'wd14',
  'SmilingWolf/wd-vit-tagger-v3': 'wd14',
  'SmilingWolf/wd-swinv2-tagger-v3': 'wd14',
  'SmilingWolf/wd-eva02-large-tagger-v3': 'wd14',
} as const satisfies Record<string, CaptionerIdentity['kind']>;

/** Of the captioners beside BLIP, as kohya_ss has them. */
const captionerDefaults = {
  blip2_num_beams: 16,
  blip2_min_new_tokens: 20,
  blip2_max_new_tokens: 40,
  blip2_length_penalty: 1,
  blip2_repetition_penalty: 1.5,
  blip2_temperature: 1,
  wd14_general_threshold: 0.35,
  wd14_character_threshold: 0.35,
  wd14_separator: ', ',
  wd14_remove_underscore: true,
  wd14_undesired_tags: '',
  wd14_tag_replacement: '',
  wd14_rating_tags: 'none',
  wd14_character_tags_first: false,
  wd14_character_tag_expand: false,
} as const;

export const captionFormSchema = z.strictObject({
  model: z.string(),
  image_dir: z.string(),
  caption_extension: z.string(),
  prefix: z.string(),
  postfix: z.string(),
  batch_size: z.number().nullable(),
  use_beam_search: z.boolean(),
  num_beams: z.number().nullable(),
  top_p: z.number().nullable(),
  max_length: z.number().nullable(),
  min_length: z.number().nullable(),
  existing: z.enum(['overwrite', 'skip', 'append']),
  blip2_num_beams: z.number().nullable().default(captionerDefaults.blip2_num_beams),
  blip2_min_new_tokens: z.number().nullable().default(captionerDefaults.blip2_min_new_tokens),
  blip2_max_new_tokens: z.number().nullable().default(captionerDefaults.blip2_max_new_tokens),
  blip2_length_penalty: z.number().nullable().default(captionerDefaults.blip2_length_penalty),
  blip2_repetition_penalty: z
    .number()
    .nullable()
    .default(captionerDefaults.blip2_repetition_penalty),
  blip2_temperature: z.number().nullable().default(captionerDefaults.blip2_temperature),
  wd14_general_threshold: z.number().nullable().default(captionerDefaults.wd14_general_threshold),
  wd14_character_threshold: z
    .number()
    .nullable()
    .default(captionerDefaults.wd14_character_threshold),
  wd14_separator: z.string().default(captionerDefaults.wd14_separator),
  wd14_remove_underscore: z.boolean().default(captionerDefaults.wd14_remove_underscore),
  wd14_undesired_tags: z.string().default(captionerDefaults.wd14_undesired_tags),
  wd14_tag_replacement: z.string().default(captionerDefaults.wd14_tag_replacement),
  wd14_rating_tags: z.enum(['none', 'first', 'last']).default(captionerDefaults.wd14_rating_tags),
  wd14_character_tags_first: z.boolean().default(captionerDefaults.wd14_character_tags_first),
  wd14_character_tag_expand: z.boolean().default(captionerDefaults.wd14_character_tag_expand),
});
export type CaptionForm = z.infer<typeof captionFormSchema>;

export const trainDraftSchema = z.partialRecord(z.enum(parameterKeys), draftValueSchema);
export type TrainDraft = z.infer<typeof trainDraftSchema>;

export const projectSchema = z.strictObject({
  dataset: datasetFormSchema,
  captioning: captionFormSchema,
  /** What differs from the parameter table's defaults. */
  training: trainDraftSchema,
});
export type Project = z.infer<typeof projectSchema>;

export const parameterViews = ['simple', 'all'] as const;
export type ParameterView = (typeof parameterViews)[number];

const MOST_MODELS = 8;

/** The models that were used lately, the newest first, with one more. */
export const withModel = (models: readonly string[], model: string): string[] =>
  [model, ...models.filter((other) => other !== model)].slice(0, MOST_MODELS);

export const settingsVersion = 2;

export const settingsSchema = z.strictObject({
  schemaVersion: z.literal(settingsVersion),
  theme: z.enum(themes),
  lastTab: z.enum(tabs),
  /** Left out until it was chosen. */
  parameterView: z.enum(parameterViews).optional(),
  planFolded: z.boolean().optional(),
  recentModels: z.array(z.string()).optional(),
  project: projectSchema,
});
export type Settings = z.infer<typeof settingsSchema>;

export const settingsPatchSchema = settingsSchema.omit({ schemaVersion: true }).partial();
export type SettingsPatch = z.infer<typeof settingsPatchSchema>;

export const emptyProject: Project = {
  dataset: emptyDataset,
  captioning: {
    model: 'Salesforce/blip-image-captioning-large',
    image_dir: '',
    caption_extension: '.txt',
    prefix: '',
    postfix: '',
    batch_size: 1,
    use_beam_search: true,
    num_beams: 1,
    top_p: 0.9,
    max_length: 75,
    min_length: 5,
    existing: 'skip',
    ...captionerDefaults,
  },
  training: {},
};
