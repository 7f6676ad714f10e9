import { z } from 'zod';
import { datasetFormSchema, emptyDataset } from './dataset-form';
import { parameterKeys } from './parameters';

/** What the app keeps between two starts. Precious: a file that cannot be read is set aside, never overwritten. */

export const tabs = ['dataset', 'captioning', 'parameters', 'training'] as const;
export type TabName = (typeof tabs)[number];

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** Forms are kept as typed, so a draft may hold what is not valid yet; it is checked where it is used. */
const draftValueSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export type DraftValue = z.infer<typeof draftValueSchema>;

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
  existing: z.enum(['overwrite', 'skip']),
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
  },
  training: {},
};
