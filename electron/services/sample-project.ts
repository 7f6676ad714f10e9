import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { emptyConcept, emptyDataset } from '../../shared/dataset-form';
import { parameterKeys, parameters, type TrainConfig } from '../../shared/parameters';
import { bucketParametersSchema, type BucketParameters } from '../../shared/picture-protocol';
import {
  captionFormSchema,
  emptyProject,
  trainDraftSchema,
  type Project,
  type TrainDraft,
} from '../../shared/settings';
import { isNotFound } from '../lib/file-problem';

/** `sample.json`: made by set-up. Paths are relative to it. */
const sampleSchema = z.object({
  instancePrompt: z.string(),
  classPrompt: z.string(),
  repeats: z.number(),
  photos: z.string(),
  regularization: z.string(),
  baseModel: z.string(),
  blip: z.string(),
  parameters: trainDraftSchema,
  captioning: captionFormSchema.partial(),
});

/** The project that the app opens on the first time; null when set-up has made none. */
export async function readSampleProject(
  folder: string,
  destination: string,
): Promise<Project | null> {
  const text = await readFile(join(folder, 'sample.json'), 'utf8').catch((error: unknown) => {
    if (isNotFound(error)) return null;
    throw error;
  });
  if (text === null) return null;
  const sample = sampleSchema.parse(JSON.parse(text));
  return {
    dataset: {
      ...emptyDataset,
      concepts: [
        {
          ...emptyConcept,
          instancePrompt: sample.instancePrompt,
          classPrompt: sample.classPrompt,
          folders: [resolve(folder, sample.photos)],
          repeats: sample.repeats,
          regularizationFolder: resolve(folder, sample.regularization),
        },
      ],
      destination,
    },
    captioning: {
      ...emptyProject.captioning,
      ...(sample.captioning as Partial<Project['captioning']>),
      model: resolve(folder, sample.blip),
    },
    training: {
      ...sample.parameters,
      pretrained_model_name_or_path: resolve(folder, sample.baseModel),
    },
  };
}

/** The parameters of a draft, with the table's default wherever the draft has nothing valid. */
export function configOfDraft(draft: TrainDraft): TrainConfig {
  return Object.fromEntries(
    parameterKeys.map((key) => {
      const parsed = parameters[key].schema.safeParse(draft[key]);
      return [key, parsed.success ? parsed.data : parameters[key].default];
    }),
  ) as TrainConfig;
}

/** The parameters of a draft that decide about buckets. */
export const bucketParametersOf = (draft: TrainDraft): BucketParameters =>
  bucketParametersSchema.strip().parse(configOfDraft(draft));
